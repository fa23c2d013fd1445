// What the checks in JavaScript share: counting, and what every client should find.
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';

export const SHIM = `${process.env.IBD_BIN}/ib-mcp`;
const OWN_CALLS = JSON.parse(readFileSync(new URL('calls.json', import.meta.url)));

// Good and bad arguments of a tool: what calls.json does not say stands in the tool's own description.
function callsOf(name, description) {
  const { good, bad } = OWN_CALLS[name] ?? {};
  return { good: good === undefined ? JSON.parse(description.split(' Example: ')[1] ?? '{}') : good, bad };
}
let passed = 0, failed = 0;

// Clients live in target/real, where imports from here do not look.
export const load = (folder, path) => import(`${process.env.REAL}/${folder}/node_modules/${path}`);

export function check(name, condition, detail = '') {
  if (condition) passed += 1;
  else {
    failed += 1;
    console.log(`FAILED ${name}: ${JSON.stringify(detail)?.slice(0, 600)}`);
  }
}

export async function attempt(name, action) {
  try {
    return await action();
  } catch (error) {
    check(name, false, String(error));
  }
}

export function end() {
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed ? 1 : 0);
}

function refusal(name, result, field) {
  check(`${name}: isError`, result.isError === true && !result.structuredContent, result);
  const said = JSON.parse(result.content[0].text);
  check(`${name}: error, message, next`, said.error && said.message && said.next, said);
  check(`${name}: field`, !field || said.field === field, said);
}

// Lists the tools and calls each with good and with bad arguments. `call` takes name, arguments, options.
export async function everything(listTools, call) {
  const { tools } = await listTools();
  check('tools are listed', tools.length > 0 && new Set(tools.map((tool) => tool.name)).size === tools.length);
  for (const { name, ...tool } of tools) {
    for (const key of ['title', 'description', 'annotations', 'inputSchema', 'outputSchema'])
      check(`${name}: has ${key}`, tool[key], tool);
    const known = callsOf(name, tool.description);
    // Without good ones: it takes what an earlier answer named.
    if (known.good) await attempt(`${name}: the client takes the answer`, async () => {
      const result = await call(name, known.good);
      check(`${name}: no error`, !result.isError, result);
      if (result.isError) return;
      const text = JSON.parse(result.content[0].text);
      check(`${name}: text is the same JSON`, isDeepStrictEqual(text, result.structuredContent), result);
    });
    // One without arguments has no bad ones.
    if (known.bad) await attempt(`${name}, bad argument`, async () =>
      refusal(`${name}, bad argument`, await call(name, known.bad[0]), known.bad[1]));
    // What a tool that writes refuses, a tool that reads leaves out of account, and says so.
    await attempt(`${name}, unknown field`, async () => {
      const result = await call(name, { noSuchField: 1 });
      if (tool.inputSchema.additionalProperties === false) refusal(`${name}, unknown field`, result, 'noSuchField');
      else check(`${name}, unknown field: named`, result.content[0].text.includes('noSuchField'), result);
    });
  }
  const seen = [];
  await attempt('a call with progress', () =>
    call('get_market_data', { symbols: ['IBM', 'NVDA'] }, { onprogress: (step) => seen.push(step.progress) }));
  // A TypeScript client may lose the last step; the first ones come.
  check('progress comes', seen.length > 0 && seen.every((step, at) => at === 0 || step >= seen[at - 1]), seen);
  try {
    check('unknown tool', false, await call('no_such_tool', {}));
  } catch (error) {
    check('unknown tool', error.code === -32602, String(error));
  }
}
