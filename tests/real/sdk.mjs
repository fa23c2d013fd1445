// The TypeScript SDK of the legacy era (@modelcontextprotocol/sdk 1.32.2).
import { attempt, check, end, everything, load, QUOTE, resources, SHIM } from './common.mjs';

const { Client } = await load('sdk', '@modelcontextprotocol/sdk/dist/esm/client/index.js');
const { ResourceUpdatedNotificationSchema } = await load('sdk', '@modelcontextprotocol/sdk/dist/esm/types.js');
const { StdioClientTransport } = await load('sdk', '@modelcontextprotocol/sdk/dist/esm/client/stdio.js');

await attempt('runs to its end', async () => {
  const client = new Client({ name: 'sdk-check', version: '1' });
  await client.connect(new StdioClientTransport({ command: SHIM, env: process.env, stderr: 'inherit' }));
  check('server', client.getServerVersion()?.name === 'ib-mcp' && client.getInstructions());
  await client.ping();
  await everything(
    () => client.listTools(),
    (name, args, options) => client.callTool({ name, arguments: args }, undefined, options),
  );
  await resources(client, async (told) => {
    client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => told(params.uri));
    await client.subscribeResource({ uri: QUOTE });
  });
  await client.close();
});
end();
