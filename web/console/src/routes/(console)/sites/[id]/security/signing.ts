// Signing an identity token (a JWT, HS256) with what each language has at hand.
type Language = { name: string; needs: string; code: string };

const php = `<?php
function ocs_identity_token(string $userId): string {
    $secret = getenv('OCS_IDENTITY_SECRET');
    $encode = fn(string $bytes) => rtrim(strtr(base64_encode($bytes), '+/', '-_'), '=');
    $head = $encode(json_encode(['alg' => 'HS256', 'typ' => 'JWT']));
    $body = $encode(json_encode(['sub' => $userId, 'exp' => time() + 3600]));
    return "$head.$body." . $encode(hash_hmac('sha256', "$head.$body", $secret, true));
}`;

const node = `import { createHmac } from 'node:crypto';

export function ocsIdentityToken(userId) {
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const head = encode({ alg: 'HS256', typ: 'JWT' });
  const body = encode({ sub: String(userId), exp: Math.floor(Date.now() / 1000) + 3600 });
  const proof = createHmac('sha256', process.env.OCS_IDENTITY_SECRET).update(\`\${head}.\${body}\`).digest('base64url');
  return \`\${head}.\${body}.\${proof}\`;
}`;

const python = `import base64, hashlib, hmac, json, os, time

def ocs_identity_token(user_id):
    encode = lambda raw: base64.urlsafe_b64encode(raw).rstrip(b"=")
    head = encode(json.dumps({"alg": "HS256", "typ": "JWT"}).encode())
    body = encode(json.dumps({"sub": str(user_id), "exp": int(time.time()) + 3600}).encode())
    secret = os.environ["OCS_IDENTITY_SECRET"].encode()
    proof = encode(hmac.new(secret, head + b"." + body, hashlib.sha256).digest())
    return b".".join([head, body, proof]).decode()`;

const ruby = `require "json"
require "openssl"

def ocs_identity_token(user_id)
  encode = ->(raw) { [raw].pack("m0").tr("+/", "-_").delete("=") }
  head = encode.call({ alg: "HS256", typ: "JWT" }.to_json)
  body = encode.call({ sub: user_id.to_s, exp: Time.now.to_i + 3600 }.to_json)
  proof = OpenSSL::HMAC.digest("SHA256", ENV.fetch("OCS_IDENTITY_SECRET"), "#{head}.#{body}")
  "#{head}.#{body}.#{encode.call(proof)}"
end`;

const go = `package identity

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"os"
	"time"
)

func OCSIdentityToken(userID string) (string, error) {
	body, err := json.Marshal(map[string]any{"sub": userID, "exp": time.Now().Add(time.Hour).Unix()})
	if err != nil {
		return "", err
	}
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode([]byte(\`{"alg":"HS256","typ":"JWT"}\`)) + "." + encode(body)
	mac := hmac.New(sha256.New, []byte(os.Getenv("OCS_IDENTITY_SECRET")))
	mac.Write([]byte(signed))
	return signed + "." + encode(mac.Sum(nil)), nil
}`;

const java = `import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Base64;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

final class OcsIdentity {
  /** userId: letters, digits and - _ . only; for anything else build the JSON with your JSON library. */
  static String token(String userId) throws Exception {
    if (!userId.matches("[A-Za-z0-9._-]+")) throw new IllegalArgumentException("userId");
    byte[] secret = System.getenv("OCS_IDENTITY_SECRET").getBytes(StandardCharsets.UTF_8);
    long exp = Instant.now().getEpochSecond() + 3600;
    String signed = encode("{\\"alg\\":\\"HS256\\",\\"typ\\":\\"JWT\\"}".getBytes(StandardCharsets.UTF_8)) + "."
        + encode(("{\\"sub\\":\\"" + userId + "\\",\\"exp\\":" + exp + "}").getBytes(StandardCharsets.UTF_8));
    Mac mac = Mac.getInstance("HmacSHA256");
    mac.init(new SecretKeySpec(secret, "HmacSHA256"));
    return signed + "." + encode(mac.doFinal(signed.getBytes(StandardCharsets.UTF_8)));
  }

  private static String encode(byte[] raw) {
    return Base64.getUrlEncoder().withoutPadding().encodeToString(raw);
  }
}`;

const rust = `use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::time::{SystemTime, UNIX_EPOCH};

pub fn ocs_identity_token(user_id: &str) -> Result<String, Box<dyn std::error::Error>> {
    let secret = std::env::var("OCS_IDENTITY_SECRET")?;
    let exp = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() + 3600;
    let head = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
    let body = URL_SAFE_NO_PAD.encode(serde_json::json!({ "sub": user_id, "exp": exp }).to_string());
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes())?;
    mac.update(format!("{head}.{body}").as_bytes());
    let proof = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
    Ok(format!("{head}.{body}.{proof}"))
}`;

export const languages: Language[] = [
  { name: 'PHP', needs: '', code: php },
  { name: 'Node', needs: '', code: node },
  { name: 'Python', needs: '', code: python },
  { name: 'Ruby', needs: '', code: ruby },
  { name: 'Go', needs: '', code: go },
  { name: 'Java', needs: '', code: java },
  { name: 'Rust', needs: 'Needs the crates base64 0.22 or later, hmac 0.13, serde_json 1 and sha2 0.11.', code: rust },
];
