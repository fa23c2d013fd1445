// The TypeScript SDK of the legacy era (@modelcontextprotocol/sdk 1.32.2).
import { attempt, check, end, everything, load, SHIM } from './common.mjs';

const { Client } = await load('sdk', '@modelcontextprotocol/sdk/dist/esm/client/index.js');
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
  await client.close();
});
end();
