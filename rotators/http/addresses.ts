import { type LookupAddress, lookup as systemLookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/**
 * Addresses outside the public internet: private, loopback, link-local, carrier NAT, multicast, documentation, reserved. Instance
 * metadata are among the link-local ones. An IPv4 address mapped into IPv6 counts as that IPv4 address.
 * @see https://www.iana.org/assignments/iana-ipv4-special-registry/iana-ipv4-special-registry.xhtml
 * @see https://www.iana.org/assignments/iana-ipv6-special-registry/iana-ipv6-special-registry.xhtml
 */
const special = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const) {
  special.addSubnet(network, prefix, 'ipv4');
}
for (const [network, prefix] of [
  // IPv4-compatible and IPv4-translated addresses, unspecified and loopback among them.
  ['::', 96],
  ['::ffff:0:0:0', 96],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
  ['5f00::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
] as const) {
  special.addSubnet(network, prefix, 'ipv6');
}

/** Addresses of NAT64: each stands for the IPv4 address in its last 32 bits (RFC 6052). */
const translated = new BlockList();
translated.addSubnet('64:ff9b::', 96, 'ipv6');

/** Tells whether an address is one of the public internet. A text that is no address is not one. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 0) return false;
  if (family === 4) return !special.check(address, 'ipv4');
  if (special.check(address, 'ipv6')) return false;
  return !translated.check(address, 'ipv6') || isPublicAddress(lastFourBytes(address));
}

/**
 * Reads the IPv4 address in an address below 64:ff9b::/96. The URL parser writes that as `64:ff9b::`, `64:ff9b::l` or
 * `64:ff9b::h:l`.
 */
function lastFourBytes(address: string): string {
  const { hostname } = new URL(`http://[${address}]/`);
  const groups = (hostname.slice(1, -1).split('::')[1] ?? '')
    .split(':')
    .map((group) => Number.parseInt(group || '0', 16));
  const [high, low] = groups.length === 1 ? [0, groups[0] ?? 0] : [groups[0] ?? 0, groups[1] ?? 0];
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

/** The refusal of a connection to an address outside the public internet. It comes before anything is sent. */
export class PrivateAddress extends Error {
  readonly address: string;

  constructor(address: string) {
    super('private address');
    this.address = address;
  }
}

/** Resolves a host name to all its addresses. */
export type Resolve = (hostname: string) => Promise<readonly LookupAddress[]>;

const resolveBySystem: Resolve = (hostname) =>
  new Promise((resolve, reject) => {
    systemLookup(hostname, { all: true }, (error, addresses) => (error ? reject(error) : resolve(addresses)));
  });

/**
 * Makes a `lookup` for `node:net` that fails with {@link PrivateAddress} when any address of the name is private. The connection
 * goes to what it has checked, so a name that resolves differently the next time gains nothing.
 */
export function publicOnly(resolve: Resolve = resolveBySystem): LookupFunction {
  return guarded(resolve, (address) => {
    if (!isPublicAddress(address)) throw new PrivateAddress(address);
  });
}

/** Makes a `lookup` for `node:net` that takes any address. */
export function anyAddress(resolve: Resolve = resolveBySystem): LookupFunction {
  return guarded(resolve, () => {});
}

function guarded(resolve: Resolve, check: (address: string) => void): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname)
      .then((addresses) => {
        for (const { address } of addresses) check(address);
        const usable =
          options.family === 4 || options.family === 6
            ? addresses.filter(({ family }) => family === options.family)
            : addresses;
        const [first] = usable;
        if (first === undefined) throw Object.assign(new Error('no address'), { code: 'ENOTFOUND' });
        return options.all === true
          ? callback(null, [...usable])
          : callback(null, first.address, first.family);
      })
      .catch((error: NodeJS.ErrnoException) => callback(error, ''));
  };
}
