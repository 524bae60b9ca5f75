// The kinds of values a setting can have: how each is written on a command line, and what is wrong with a text that is none.

export interface Kind<T> {
  readonly flagType: 'string' | 'boolean';
  /** Returns the value or a fault in words (`must be …`). */
  readonly parse: (text: string) => { readonly value: T } | { readonly fault: string };
  readonly placeholder: string;
}

export const text = (placeholder: string): Kind<string> => ({
  flagType: 'string',
  placeholder,
  parse: (raw) => ({ value: raw }),
});

export const number = (min: number, max: number): Kind<number> => ({
  flagType: 'string',
  placeholder: 'N',
  parse: (raw) => {
    const value = Number(raw);
    const ok = raw.trim() !== '' && value >= min && value <= max;
    return ok ? { value } : { fault: `must be a number from ${min} to ${max}, not "${raw}"` };
  },
});

export const integer = (min: number, max: number): Kind<number> => ({
  flagType: 'string',
  placeholder: 'N',
  parse: (raw) => {
    const value = Number(raw);
    const ok = /^-?\d+$/.test(raw.trim()) && value >= min && value <= max;
    return ok ? { value } : { fault: `must be a whole number from ${min} to ${max}, not "${raw}"` };
  },
});

export const flag: Kind<boolean> = {
  flagType: 'boolean',
  placeholder: '',
  parse: (raw) => {
    if (['true', '1', 'yes'].includes(raw)) return { value: true };
    if (['false', '0', 'no', ''].includes(raw)) return { value: false };
    return { fault: `must be true or false, not "${raw}"` };
  },
};

export const list: Kind<readonly string[]> = {
  flagType: 'string',
  placeholder: 'A,B,…',
  parse: (raw) => ({
    value: raw
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== ''),
  }),
};

export function oneOf<const T extends string>(...choices: readonly T[]): Kind<T> {
  return {
    flagType: 'string',
    placeholder: choices.join('|'),
    parse: (raw) => {
      const value = choices.find((choice) => choice === raw);
      return value === undefined
        ? { fault: `must be one of ${choices.join(', ')}, not "${raw}"` }
        : { value };
    },
  };
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

export const duration = (minMs: number, maxMs: number): Kind<number> => ({
  flagType: 'string',
  placeholder: '90s|15m|2h|1d',
  parse: (raw) => {
    const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(raw.trim());
    const ms = match ? Number(match[1]) * UNIT_MS[match[2]!]! : Number.NaN;
    return ms >= minMs && ms <= maxMs
      ? { value: ms }
      : { fault: `must be a time such as 90s, 15m, 2h or 1d (${minMs} ms to ${maxMs} ms), not "${raw}"` };
  },
});

/** A point in time: absolute, or so long before now. */
export type Moment = { readonly atMs: number } | { readonly agoMs: number };

export const moment: Kind<Moment | null> = {
  flagType: 'string',
  placeholder: 'TIME|AGO',
  parse: (raw) => {
    const ago = duration(0, 3650 * 86_400_000).parse(raw);
    if ('value' in ago) return { value: { agoMs: ago.value } };
    const atMs = /^\d{4}-\d{2}-\d{2}/.test(raw.trim()) ? Date.parse(raw.trim()) : Number.NaN;
    return Number.isFinite(atMs)
      ? { value: { atMs } }
      : {
          fault: `must be a time such as 2026-05-01T08:00:00Z, or a time ago such as 15m or 2h, not "${raw}"`,
        };
  },
};

/** A moment in ms since the epoch. */
export function momentMs(when: Moment, nowMs: number): number {
  return 'atMs' in when ? when.atMs : nowMs - when.agoMs;
}

/** So many an hour or a day, as a number an hour; null when it is not set. */
export const rate: Kind<number | null> = {
  flagType: 'string',
  placeholder: '0.5/h|1/d',
  parse: (raw) => {
    const match = /^(\d+(?:\.\d+)?)\/(h|d)$/.exec(raw.trim());
    const perHour = match ? Number(match[1]) / (match[2] === 'd' ? 24 : 1) : Number.NaN;
    return perHour > 0 && perHour <= 1000
      ? { value: perHour }
      : { fault: `must be a rate such as 0.5/h or 1/d, above 0, not "${raw}"` };
  },
};

/** A kind whose default is to leave the choice to something else (null). */
export const maybe = <T>(kind: Kind<T>): Kind<T | null> => kind;

/** How fast event time goes: a factor, or `max`. */
export const pace: Kind<number | null> = {
  flagType: 'string',
  placeholder: 'N|max',
  parse: (raw) => {
    if (raw === 'max') return { value: Number.POSITIVE_INFINITY };
    const value = Number(raw);
    const ok = raw.trim() !== '' && value > 0 && value <= 100_000;
    return ok ? { value } : { fault: `must be max or a number up to 100000, not "${raw}"` };
  },
};

/** One process of several: `2/6`. */
export const worker: Kind<string> = {
  flagType: 'string',
  placeholder: 'I/N',
  parse: (raw) => {
    const [index, count] = raw.split('/').map(Number);
    const ok = /^\d+\/\d+$/.test(raw) && index! >= 1 && index! <= count! && count! <= 64;
    return ok ? { value: raw } : { fault: `must be such as 2/6, not "${raw}"` };
  },
};
