import { connect, createServer, type Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import { type Certificate, type CertificateChoice, issueChosen } from '../../local/servers/certificates.ts';

/** A door in front of a TLS server of this machine that misbehaves when it is told to, at a port that stays. */
export interface Door {
  readonly port: number;
  /** Lets everything pass. */
  open(): Promise<void>;
  /** Nothing listens any more. */
  shut(): Promise<void>;
  /** Takes connections and says nothing. */
  hang(): Promise<void>;
  /** Shows a certificate of its own; by default one that is good. */
  present(choice: CertificateChoice): Promise<void>;
  close(): Promise<void>;
}

/** @param authority - signs the certificates of {@link Door.present}; clients trust it besides the server's own */
export async function openDoor(to: number, authority: Certificate): Promise<Door> {
  const sockets = new Set<Socket>();
  const pass = (client: Socket) => {
    const target = connect(to, '127.0.0.1');
    for (const socket of [client, target]) {
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.on('close', () => {
        client.destroy();
        target.destroy();
      });
    }
    client.pipe(target).pipe(client);
  };
  let treat: (client: Socket) => void = pass;
  const server = createServer((client) => {
    sockets.add(client);
    client.on('error', () => {});
    client.on('close', () => sockets.delete(client));
    treat(client);
  });
  const listen = (port: number) =>
    new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', () => {
        server.off('error', reject);
        resolve();
      });
    });
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  const treatBy = async (how: (client: Socket) => void) => {
    treat = how;
    cut();
    if (!server.listening) await listen(port);
  };
  await listen(0);
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const shut = () =>
    new Promise<void>((resolve) => {
      cut();
      server.close(() => resolve());
    });
  return {
    port,
    shut,
    open: () => treatBy(pass),
    hang: () => treatBy(() => {}),
    async present(choice) {
      const secureContext = createSecureContext(await issueChosen(authority, choice));
      await treatBy((client) => {
        new TLSSocket(client, { isServer: true, secureContext }).on('error', () => {});
      });
    },
    close: shut,
  };
}
