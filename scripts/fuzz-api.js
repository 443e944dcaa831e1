// Calls every address of a real server with what its own description allows and with what it does not, and holds its
// answers against that description: node scripts/fuzz-api.js [EXAMPLES]
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConsoleApi } from '../e2e/support/console_api.js';
import { Server } from '../e2e/support/server.js';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const [examples = '10'] = process.argv.slice(2);
const program = process.env.SCHEMATHESIS ?? join(root, 'target/tools/python/bin/schemathesis');
if (!existsSync(program)) {
  console.error(`${program} is missing: scripts/install-test-tools installs it`);
  process.exit(1);
}

// What ends the credentials or the things that the rest is tried with: each with people of its own.
const ENDINGS = [
  'POST /api/console/sign-out', 'POST /api/console/account/delete', 'DELETE /api/console/account/sessions/{session}',
  'DELETE /api/console/sites/{site}', 'DELETE /api/console/sites/{site}/chat-keys/{key}',
];
// Lines never end either; the tests of frames are for them.
const LINES = '(socket|stream)$';
const DOORS = [
  ['--include-path-regex', 'chat_api'],
  ['--include-path-regex', '^/api/console', '--exclude-path-regex', LINES].concat(ENDINGS.flatMap((name) => ['--exclude-name', name])),
  ['--exclude-path-regex', `chat_api|^/api/console|${LINES}`],
];

const server = await Server.start({ new_visitors_per_hour: 1_000_000, log: 'warn' });
let [failed, people] = [0, 0];
try {
  for (const chosen of [...DOORS, ...ENDINGS.map((name) => ['--include-name', name])]) failed += await attempt(chosen);
} finally {
  await server.discard();
}
const complaints = server.log.filter((line) => /panicked|ERROR/.test(line));
for (const line of complaints) console.error(line);
process.exit(failed === 0 && complaints.length === 0 ? 0 : 1);

/** Tries the chosen addresses as somebody with a site and a conversation. Says 0 when all went well. */
async function attempt(chosen) {
  const name = `owner-${people++}`;
  const site = await server.addSite({ owner: `${name}@shop.example`, name: 'Shop', person: name });
  const api = await ConsoleApi.signIn(server.url, site.owner);
  await api.configure(site.id, { limits: { messages_per_minute: 120, api_per_minute: 600, image_bytes: 1_000_000 } });
  const token = await visitor(site);
  const [conversation] = await api.conversations();
  const config = join(server.data, `${name}.toml`);
  await writeFile(config, settings({ site, api, token, conversation: conversation.id }));
  const run = spawn(program, [
    '--config-file', config, 'run', join(root, 'docs/openapi.json'), '--url', server.url, ...chosen,
    '--phases', 'coverage,fuzzing', '--max-examples', examples, '--generation-deterministic', '--request-timeout', '30', '--warnings', 'off', '--no-color',
  ], { stdio: 'inherit', cwd: server.data });
  const [code] = await once(run, 'exit');
  return code ?? 1;
}

async function visitor(site) {
  const post = async (body, headers = {}) => {
    const sent = { method: 'POST', headers: { 'Content-Type': 'application/json', ...headers }, body: JSON.stringify(body) };
    return (await fetch(`${server.url}/api/widget`, sent)).json();
  };
  const { token } = await post({ do: 'start', key: site.key, external_id: 'vera', anonymous: false });
  await post({ do: 'send', client_id: 'v1', text: 'Hello' }, { Authorization: `Bearer ${token}` });
  return token;
}

/** Good credentials for every api, and numbers of what is there. */
function settings({ site, api, token, conversation }) {
  return `
[auth.openapi.operator]
api_key = "${api.cookie.split('=')[1]}"
[auth.openapi.csrf]
api_key = "${api.csrf}"
[auth.openapi.visitor]
bearer = "${token}"
[auth.openapi.chat_key]
api_key = "${site.apiKey}"
[parameters]
"path.site" = ${site.id}
"path.conversation" = ${conversation}
"path.widget_key" = "${site.key}"
"query.conversation_id" = "${conversation}"
# What is described is not always enough: a password must be the right one, a conversation be there.
[checks]
positive_data_acceptance.enabled = false
# Methods that are always refused are described too, because the key is looked at before the method.
allow_header_conformance.enabled = false
# A number is taken for the name of what is asked for, the first one for 0: the library's way, and no harm.
# And a token is asked for by all that this address does but the first.
[[operations]]
include-path-regex = "(/api/widget|/api/console/hint)$"
checks.negative_data_rejection.enabled = false
checks.missing_required_header.enabled = false
`;
}
