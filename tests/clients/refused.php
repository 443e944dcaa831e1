<?php
// Sends bodies of several sizes with a wrong key, over HTTP/2 as libcurl speaks it, and prints each answer's status.
foreach (array_slice($argv, 1) as $base) {
    foreach ([50_000, 400_000, 3_000_000] as $bytes) {
        for ($try = 0; $try < 3; $try++) {
            $curl = curl_init("$base/api/chat_api.php?action=reply_as_agent&key=wrong");
            curl_setopt_array($curl, [
                CURLOPT_HTTP_VERSION => str_starts_with($base, 'https') ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE,
                CURLOPT_SSL_VERIFYPEER => false,
                CURLOPT_SSL_VERIFYHOST => 0,
                CURLOPT_TIMEOUT => 30,
                CURLOPT_RETURNTRANSFER => true,
                CURLOPT_HTTPHEADER => ['Content-Type: application/json'],
                CURLOPT_POSTFIELDS => json_encode(['conversation_id' => 1, 'image_base64' => str_repeat('A', $bytes)]),
            ]);
            curl_exec($curl);
            $version = curl_getinfo($curl, CURLINFO_HTTP_VERSION) === CURL_HTTP_VERSION_2_0 ? 'HTTP/2' : 'another version';
            echo curl_error($curl) ?: curl_getinfo($curl, CURLINFO_RESPONSE_CODE) . " on $version", "\n";
        }
    }
}
