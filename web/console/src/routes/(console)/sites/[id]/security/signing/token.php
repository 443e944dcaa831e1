<?php
function ocs_identity_token(string $userId): string {
    $secret = getenv('CHAT_IDENTITY_SECRET');
    $encode = fn(string $bytes) => rtrim(strtr(base64_encode($bytes), '+/', '-_'), '=');
    $head = $encode(json_encode(['alg' => 'HS256', 'typ' => 'JWT']));
    $body = $encode(json_encode(['sub' => $userId, 'exp' => time() + 3600], JSON_THROW_ON_ERROR));
    return "$head.$body." . $encode(hash_hmac('sha256', "$head.$body", $secret, true));
}
