import base64, hashlib, hmac, json, os, time

def ocs_identity_token(user_id):
    encode = lambda raw: base64.urlsafe_b64encode(raw).rstrip(b"=")
    head = encode(json.dumps({"alg": "HS256", "typ": "JWT"}).encode())
    body = encode(json.dumps({"sub": str(user_id), "exp": int(time.time()) + 3600}).encode())
    secret = os.environ["CHAT_IDENTITY_SECRET"].encode()
    proof = encode(hmac.new(secret, head + b"." + body, hashlib.sha256).digest())
    return b".".join([head, body, proof]).decode()
