// Streamable HTTP in front of a stdio server, for a suite that only speaks HTTP.
// Usage: bridge.mjs COMMAND; prints {"url":"http://127.0.0.1:PORT/mcp"} when ready.
// A process per session of the legacy era; one shared process for the modern era, which has no sessions.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';

const VERSION_KEY = 'io.modelcontextprotocol/protocolVersion';
const LOCAL = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/;
const STATUS = { [-32601]: 404, [-32602]: 400, [-32600]: 400, [-32020]: 400, [-32021]: 400, [-32022]: 400 };

class Child {
  waiting = new Map(); // our id -> { id, token, response }
  next = 1;

  constructor() {
    this.process = spawn(process.argv[2], { stdio: ['pipe', 'pipe', 'inherit'] });
    createInterface({ input: this.process.stdout }).on('line', (line) => this.heard(JSON.parse(line)));
  }

  write(message) {
    this.process.stdin.write(JSON.stringify(message) + '\n');
  }

  // Ids are ours, as two clients may choose the same one; so are the tokens of progress.
  ask(message, response, isModern) {
    const ours = this.next++;
    const meta = message.params?._meta;
    const token = meta?.progressToken;
    if (token !== undefined) meta.progressToken = `p${ours}`;
    this.waiting.set(ours, { id: message.id, token, response, isModern });
    response.on('close', () => {
      if (this.waiting.delete(ours) && isModern)
        this.write({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: ours } });
    });
    this.write({ ...message, id: ours });
  }

  tell(message) {
    const id = message.params?.requestId;
    for (const [ours, { id: theirs }] of this.waiting) if (id === theirs) message.params.requestId = ours;
    this.write(message);
  }

  heard(message) {
    if (message.method) {
      const subscription = message.params?._meta?.['io.modelcontextprotocol/subscriptionId'];
      const ours = message.params?.progressToken?.slice(1) ?? subscription;
      const asked = this.waiting.get(Number(ours));
      if (!asked) return;
      if (subscription) message.params._meta['io.modelcontextprotocol/subscriptionId'] = asked.id;
      else message.params.progressToken = asked.token;
      event(asked.response, message);
      return;
    }
    const asked = this.waiting.get(message.id);
    if (!asked) return;
    this.waiting.delete(message.id);
    message.id = asked.id;
    if (asked.response.headersSent) {
      event(asked.response, message);
      asked.response.end();
    } else {
      reply(asked.response, (asked.isModern && STATUS[message.error?.code]) || 200, message);
    }
  }
}

function event(response, message) {
  if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write(`event: message\ndata: ${JSON.stringify(message)}\n\n`);
}

function reply(response, status, body) {
  response.writeHead(status, body ? { 'content-type': 'application/json' } : {});
  response.end(body && JSON.stringify(body));
}

function refuse(response, status, code, text, id = null) {
  reply(response, status, { jsonrpc: '2.0', id, error: { code, message: text } });
}

// What the modern era repeats in headers must agree with the body.
function mismatch(headers, { method, params }) {
  const name = params?.name ?? params?.uri;
  const said = [
    ['mcp-protocol-version', params?._meta?.[VERSION_KEY]],
    ['mcp-method', method],
    ['mcp-name', ['tools/call', 'prompts/get', 'resources/read'].includes(method) ? name : undefined],
  ];
  return said.find(([header, value]) => value !== undefined && headers[header] !== value)?.[0];
}

const sessions = new Map();
let shared;

function handle({ method, headers }, response, body) {
  const origin = headers.origin && new URL(headers.origin).host;
  if (!LOCAL.test(headers.host ?? '') || (origin && !LOCAL.test(origin)))
    return refuse(response, 403, -32600, 'only from this machine');
  const key = headers['mcp-session-id'];
  if (method === 'DELETE') {
    sessions.get(key)?.process.stdin.end();
    return reply(response, sessions.delete(key) ? 200 : 404);
  }
  if (method !== 'POST') return reply(response, 405);
  let message;
  try {
    message = JSON.parse(body);
  } catch {
    return refuse(response, 400, -32700, 'no JSON');
  }
  // With the modern era's envelope it is no handshake but a method that does not exist any more.
  if (message.method === 'initialize' && !message.params?._meta?.[VERSION_KEY]) {
    const id = randomUUID();
    sessions.set(id, new Child());
    response.setHeader('mcp-session-id', id);
    return sessions.get(id).ask(message, response, false);
  }
  if (key && !sessions.has(key)) return refuse(response, 404, -32600, 'no such session', message.id);
  const isModern = !key;
  if (isModern) {
    const header = message.id !== undefined && mismatch(headers, message);
    if (header) return refuse(response, 400, -32020, `the header ${header} does not fit`, message.id);
    shared ??= new Child();
  }
  const child = sessions.get(key) ?? shared;
  if (message.id !== undefined && message.method) return child.ask(message, response, isModern);
  child.tell(message);
  reply(response, 202);
}

const server = createServer((request, response) => {
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => handle(request, response, Buffer.concat(parts).toString()));
});
server.listen(0, '127.0.0.1', () =>
  console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}/mcp` })));
