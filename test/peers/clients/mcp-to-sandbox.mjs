// Loaded before Stripe's MCP server, which knows no other host: what it sends to api.stripe.com goes to SANDBOX_URL,
// and each answer's status is a line on standard error.
import http from 'node:http';
import https from 'node:https';
import { syncBuiltinESMExports } from 'node:module';

const { hostname, port } = new URL(process.env.SANDBOX_URL);

https.request = (options, ...rest) => {
  if (options.host !== 'api.stripe.com') throw new Error(`not for the sandbox: ${options.host}`);
  const { agent, ciphers, ...same } = options;
  const request = http.request({ ...same, host: hostname, port }, ...rest);
  // The SDK writes when TLS stands.
  request.once('socket', (socket) => socket.once('connect', () => socket.emit('secureConnect')));
  const call = `${options.method} ${options.path.split('?')[0]}`;
  request.on('response', ({ statusCode }) => console.error(`answered\t${call}\t${statusCode}`));
  return request;
};
syncBuiltinESMExports();
