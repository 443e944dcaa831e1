# Replies as Ruby scripts send them. Arguments: address, key, conversation. Prints each text that was sent.
require "json"
require "net/http"

address, key, conversation = ARGV
AT = "#{address}/api/chat_api.php"
TO = "#{AT}?action=reply_as_agent&key=#{key}"
FIELDS = { "conversation_id" => conversation, "agent_name" => "Ann", "source" => "a field of ours" }

def check(text, answer)
  abort "#{text}: #{answer.body}" unless answer.body == '{"success":true}'
  puts text
end

text = "Ruby, post_form: é €"
check text, Net::HTTP.post_form(URI(TO), FIELDS.merge("content" => text))

text = "Ruby, JSON: é €"
check text, Net::HTTP.post(URI(TO), FIELDS.merge("content" => text).to_json, "Content-Type" => "application/json")

text = "Ruby, set_form with the key in it: é €"
uri = URI(AT)
request = Net::HTTP::Post.new(uri)
parts = { "key" => key, "action" => "reply_as_agent" }.merge(FIELDS, "content" => text)
request.set_form(parts.to_a, "multipart/form-data")
check text, Net::HTTP.start(uri.host, uri.port) { |http| http.request(request) }

recent = JSON.parse(Net::HTTP.get(URI("#{AT}?action=get_recent_messages&key=#{key}")))
abort recent.to_s unless recent["data"].last["content"] == text
