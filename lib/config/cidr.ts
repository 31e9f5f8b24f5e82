/** An IPv4 range: its first address as a number, and how many addresses it holds. */
interface Range {
  readonly first: number;
  readonly size: number;
}

/** Reads a range that a schema has accepted, such as `10.0.0.0/20`. */
function rangeOf(cidr: string): Range {
  const [address = '', prefix] = cidr.split('/');
  const size = 2 ** (32 - Number(prefix));
  const number = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  return { first: number - (number % size), size };
}

/** Tells whether the address before the slash is the first one of its range. */
export const isCanonical = (cidr: string): boolean => textOf(rangeOf(cidr)) === cidr;

export const prefixOf = (cidr: string): number => Number(cidr.split('/')[1]);

/** Tells whether two ranges have an address in common. */
export function overlap(one: string, other: string): boolean {
  const [a, b] = [rangeOf(one), rangeOf(other)];
  return a.first < b.first + b.size && b.first < a.first + a.size;
}

/** Tells whether the first range lies within the second. */
export function isWithin(inner: string, outer: string): boolean {
  const [a, b] = [rangeOf(inner), rangeOf(outer)];
  return a.first >= b.first && a.first + a.size <= b.first + b.size;
}

/** Divides a range into four quarters: subnets that keep their place when a zone is added. */
export function quarters(cidr: string): readonly string[] {
  const { first, size } = rangeOf(cidr);
  return [0, 1, 2, 3].map((quarter) => textOf({ first: first + quarter * (size / 4), size: size / 4 }));
}

const textOf = ({ first, size }: Range): string =>
  `${[24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256).join('.')}/${32 - Math.log2(size)}`;
