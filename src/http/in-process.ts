import http, { type Server } from 'node:http';
import https from 'node:https';
import { type Duplex, duplexPair } from 'node:stream';

/** Servers of this process that listen nowhere, by the origin under which its clients find them. */
const servers = new Map<string, Server>();
let begun = 0;

/** A server that this process alone can reach. */
export interface InProcess {
  /** No address: no name is asked for and no socket opened for it. */
  readonly url: string;
  /** Cuts every connection. */
  close(): void;
}

/** Lets the clients of this process, whose agents {@link agentFor} makes, reach a server without any socket. */
export function serveInProcess(server: Server): InProcess {
  const url = `http://in-process-${++begun}.localhost`;
  const connections = new Set<Duplex>();
  server.on('connection', (side: Duplex) => {
    connections.add(side);
    side.on('close', () => connections.delete(side));
  });
  servers.set(url, server);
  return {
    url,
    close: () => {
      servers.delete(url);
      for (const side of connections) side.destroy();
    },
  };
}

/** The agent for a server: by encrypted connections, by plain ones, or by none where it is in this process. */
export function agentFor(apiBase: string, options: http.AgentOptions): http.Agent {
  const server = servers.get(new URL(apiBase).origin);
  if (server === undefined) {
    return apiBase.startsWith('https:') ? new https.Agent(options) : new http.Agent(options);
  }
  return Object.assign(new http.Agent(options), { createConnection: () => connectionTo(server) });
}

function connectionTo(server: Server): Duplex {
  const [near, far] = duplexPair();
  // What one side cut, the other learns, once it has read what came before.
  near.once('close', () => setImmediate(() => far.destroy()));
  far.once('close', () => setImmediate(() => near.destroy()));
  server.emit('connection', asSocket(far));
  return asSocket(near);
}

/** What Node's HTTP asks of a socket besides; there is nothing to wait for and nothing to keep alive. */
function asSocket(side: Duplex): Duplex {
  const nothing = () => side;
  return Object.assign(side, {
    setTimeout: nothing,
    setNoDelay: nothing,
    setKeepAlive: nothing,
    ref: nothing,
    unref: nothing,
  });
}
