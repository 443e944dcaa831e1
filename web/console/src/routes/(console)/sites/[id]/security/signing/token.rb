require "json"
require "openssl"

def ocs_identity_token(user_id)
  encode = ->(raw) { [raw].pack("m0").tr("+/", "-_").delete("=") }
  head = encode.call({ alg: "HS256", typ: "JWT" }.to_json)
  body = encode.call({ sub: user_id.to_s, exp: Time.now.to_i + 3600 }.to_json)
  proof = OpenSSL::HMAC.digest("SHA256", ENV.fetch("CHAT_IDENTITY_SECRET"), "#{head}.#{body}")
  "#{head}.#{body}.#{encode.call(proof)}"
end
