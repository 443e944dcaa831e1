<?php
// Replies as PHP scripts send them. Arguments: address, key, conversation. Prints each text that was sent.
[, $address, $key, $conversation] = $argv;
$at = "$address/api/chat_api.php";
$to = "$at?action=reply_as_agent&key=$key";
$png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

function check(string $text, $answer): void {
    if (!is_string($answer) || json_decode($answer, true) !== ['success' => true]) {
        fwrite(STDERR, "$text: " . var_export($answer, true) . "\n");
        exit(1);
    }
    echo "$text\n";
}

function post(string $url, $body, array $headers = []): string|bool {
    $call = curl_init($url);
    curl_setopt_array($call, [CURLOPT_POSTFIELDS => $body, CURLOPT_HTTPHEADER => $headers, CURLOPT_RETURNTRANSFER => true]);
    return curl_exec($call);
}

function fields(string $text): array {
    global $conversation;
    return ['conversation_id' => $conversation, 'content' => $text, 'agent_name' => 'Ann', 'source' => 'a field of ours'];
}

$text = 'PHP, curl with an array: é €';
check($text, post($to, fields($text)));

$text = 'PHP, curl with JSON: é €';
check($text, post($to, json_encode(fields($text)), ['Content-Type: application/json']));

$text = 'PHP, curl with JSON and without a content type';
check($text, post($to, json_encode(['conversation_id' => (float) $conversation] + fields($text), JSON_PRESERVE_ZERO_FRACTION)));

$text = 'PHP, curl with a form: é €';
check($text, post($to, http_build_query(fields($text))));

$text = 'PHP, curl with the key in the array';
check($text, post($at, ['action' => 'reply_as_agent', 'key' => $key] + fields($text)));

$text = 'PHP, a picture as a file';
$file = new CURLStringFile(base64_decode($png), 'a.png', 'image/png');
check($text, post($to, fields($text) + ['image_base64' => $file]));

$text = 'PHP, a stream with a form: é €';
$form = ['method' => 'POST', 'header' => 'Content-Type: application/x-www-form-urlencoded', 'content' => http_build_query(fields($text))];
check($text, file_get_contents($to, false, stream_context_create(['http' => $form])));

$text = 'PHP, a stream with the key in the form';
$body = http_build_query(['key' => $key, 'action' => 'reply_as_agent'] + fields($text));
check($text, file_get_contents($at, false, stream_context_create(['http' => ['content' => $body] + $form])));

$text = 'PHP, a stream in Latin-1: é';
$body = http_build_query(fields("PHP, a stream in Latin-1: \xe9"));
check($text, file_get_contents($to, false, stream_context_create(['http' => ['content' => $body] + $form])));

// As Guzzle writes the parts of its option `multipart`.
$text = 'PHP, Guzzle: é €';
$body = '';
foreach (['key' => $key, 'action' => 'reply_as_agent'] + fields($text) as $name => $value) {
    $body .= "--guzzle\r\nContent-Disposition: form-data; name=\"$name\"\r\nContent-Length: " . strlen($value) . "\r\n\r\n$value\r\n";
}
$headers = ['Content-Type: multipart/form-data; boundary=guzzle'];
check($text, post($at, "$body--guzzle--\r\n", $headers));

$recent = json_decode(file_get_contents("$address/api/chat_api?action=get_recent_messages&key=$key"), true);
if ($recent['success'] !== true || end($recent['data'])['content'] !== $text) {
    fwrite(STDERR, var_export($recent, true));
    exit(1);
}
