// Puts the token into each request on its way to a server that wants one: the suite has nothing to send it with.
// Usage: TOKEN=… bearer.mjs URL; prints {"url":"http://127.0.0.1:PORT/mcp"} when ready. It changes nothing else.
import { createServer, request } from 'node:http';

const server = new URL(process.argv[2]);
const authorization = `Bearer ${process.env.TOKEN}`;

const proxy = createServer((from, to) => {
  const where = { host: server.hostname, port: server.port, path: from.url, method: from.method };
  const onward = request({ ...where, headers: { ...from.headers, authorization } }, (answer) => {
    to.writeHead(answer.statusCode, answer.headers);
    to.flushHeaders();
    answer.pipe(to);
  });
  onward.on('error', () => to.destroy());
  to.on('close', () => onward.destroy());
  from.pipe(onward);
});
proxy.listen(0, '127.0.0.1', () =>
  console.log(JSON.stringify({ url: `http://127.0.0.1:${proxy.address().port}${server.pathname}` })));
