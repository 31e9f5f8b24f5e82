import type { CertificateChoice } from '../../local/servers/certificates.ts';
import type { Outage } from './target.ts';

/** What can be made to go wrong with a server as a whole. */
export interface Server {
  stop(): Promise<void>;
  start(): Promise<void>;
  pause(): Promise<void> | void;
  resume(): Promise<void> | void;
  useCertificate(choice: CertificateChoice): Promise<void>;
  /** Left out where the protocol has no way to say that there is no TLS. */
  useTls?(on: boolean): Promise<void>;
}

/** The outages of a server that is reached over TLS, and how a rotator must name each. */
export function serverOutages(server: Server): Outage[] {
  const certificate = (name: string, choice: CertificateChoice): Outage => ({
    name: `the certificate ${name}`,
    code: 'TlsRefused',
    begin: () => server.useCertificate(choice),
    end: () => server.useCertificate({}),
  });
  const { useTls } = server;
  return [
    {
      name: 'the server is down',
      code: 'TargetUnreachable',
      begin: () => server.stop(),
      end: () => server.start(),
    },
    {
      name: 'the server accepts connections and says nothing',
      code: 'TargetUnreachable',
      silent: true,
      begin: async () => server.pause(),
      end: async () => server.resume(),
    },
    certificate('is for another host', { hosts: ['db.example'] }),
    certificate('has expired', { expired: true }),
    certificate('is by an unknown authority', { unknownAuthority: true }),
    ...(useTls === undefined
      ? []
      : [
          {
            name: 'the server offers no TLS',
            code: 'TlsRefused',
            begin: () => useTls(false),
            end: () => useTls(true),
          } as const,
        ]),
  ];
}
