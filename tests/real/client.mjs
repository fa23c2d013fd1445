// The TypeScript client of the modern era (@modelcontextprotocol/client 2.4.0). Usage: client.mjs [auto]
import { attempt, check, end, everything, load, QUOTE, resources, SHIM } from './common.mjs';

const { Client } = await load('client', '@modelcontextprotocol/client/dist/index.mjs');
const { StdioClientTransport } = await load('client', '@modelcontextprotocol/client/dist/stdio.mjs');
// Without this the client speaks as those of the legacy era do.
const auto = process.argv[2] === 'auto' ? { versionNegotiation: { mode: 'auto' } } : {};

await attempt('runs to its end', async () => {
  const client = new Client({ name: 'client-check', version: '1' }, auto);
  await client.connect(new StdioClientTransport({ command: SHIM, env: process.env, stderr: 'inherit' }));
  const version = client.getNegotiatedProtocolVersion();
  check('protocol version', version === (process.argv[2] ? '2026-07-28' : '2025-11-25'), version);
  check('server', client.getServerVersion()?.name === 'ib-mcp' && client.getInstructions());
  await everything(
    () => client.listTools(),
    (name, args, options) => client.callTool({ name, arguments: args }, options),
  );
  await resources(client, async (told) => {
    client.setNotificationHandler('notifications/resources/updated', ({ params }) => told(params.uri));
    if (!process.argv[2]) return client.subscribeResource({ uri: QUOTE });
    const { honoredFilter } = await client.listen({ resourceSubscriptions: [QUOTE, 'ib://nothing'] });
    check('what there is is honoured', String(honoredFilter.resourceSubscriptions) === QUOTE, honoredFilter);
  });
  await client.close();
});
end();
