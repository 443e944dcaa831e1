#!/usr/bin/env bash
# Replies as curl sends them. Arguments: address, key, conversation. Prints each text that was sent.
set -euo pipefail
at=$1/api/chat_api.php key=$2 conversation=$3
to="$at?action=reply_as_agent&key=$key"

check() {
  local text=$1 answer
  shift
  answer=$(curl --silent --show-error "$@")
  [ "$answer" = '{"success":true}' ] || { echo "$text: $answer" >&2; exit 1; }
  echo "$text"
}

text='curl -F: é €'
check "$text" "$to" -F "conversation_id=$conversation" -F "content=$text" -F source=x
text='curl -d'
check "$text" "$to" -d "conversation_id=$conversation&content=curl+-d&source=x"
text='curl --data-urlencode: é €'
check "$text" "$to" -d "conversation_id=$conversation" --data-urlencode "content=$text"
text='curl --json: é €'
check "$text" "$to" --json "{\"conversation_id\":$conversation,\"content\":\"$text\",\"source\":1}"
text='curl -d with JSON'
check "$text" "$to" -d "{\"conversation_id\":\"$conversation\",\"content\":\"$text\"}"
text='curl -F with the key before the picture'
printf iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg== |
  check "$text" "$at" -F action=reply_as_agent -F "key=$key" -F "conversation_id=$conversation" -F "content=$text" \
    -F 'image_base64=@-;filename=a.txt'
curl --silent --fail "$at?action=get_recent_messages" -H "Authorization: Bearer $key" >/dev/null
