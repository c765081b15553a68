// Loaded before keyaudit (`node --import`): opening a socket, asking for a name, starting a program or reading a
// variable that holds a key ends the process with an exit code of its own. Node 20 has no permission for sockets.
// git alone may be asked, about files on this machine.
import childProcess from 'node:child_process';
import dgram from 'node:dgram';
import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';
import { promisify } from 'node:util';

const caught = (what, code) => () => {
  process.stderr.write(`offline guard: ${what}\n`);
  process.exit(code);
};

net.Socket.prototype.connect = caught('a socket is opened', 97);
net.Server.prototype.listen = caught('a server listens', 97);
dgram.createSocket = caught('a socket is opened', 97);
dns.lookup = caught('a name is asked for', 97);
dns.promises.lookup = caught('a name is asked for', 97);
for (const start of ['spawn', 'spawnSync', 'exec', 'execSync', 'execFile', 'execFileSync', 'fork']) {
  const original = childProcess[start];
  const refuse = caught('a program is started', 98);
  childProcess[start] = (file, ...rest) => (file === 'git' ? original(file, ...rest) : refuse());
  // What promisify() of it gives names its results.
  childProcess[start][promisify.custom] = (file, ...rest) =>
    file === 'git' ? promisify(original)(file, ...rest) : refuse();
}
syncBuiltinESMExports();

const readKey = caught('a variable that holds a key is read', 99);
const env = process.env;
process.env = new Proxy(env, {
  get: (target, name) => (typeof name === 'string' && /^STRIPE_.*KEY$/.test(name) ? readKey() : target[name]),
});
