// The only reader of process.env and of flags. A command names the settings it takes (settings.ts); all faults are reported
// at once; the result is frozen.
import { parseArgs } from 'node:util';
import { didYouMean } from './did-you-mean.ts';
import { TelltaleError } from './errors.ts';
import { SETTINGS, type Setting, type SettingKey, type Settings } from './settings.ts';

export const flagName = (key: string): string => `--${key.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`;

export type Environment = Readonly<Record<string, string | undefined>>;

function kindOf(key: SettingKey): Setting<unknown> {
  return SETTINGS[key] as Setting<unknown>;
}

function readFlags(keys: readonly SettingKey[], argv: readonly string[], faults: string[]) {
  const options = Object.fromEntries(
    keys.map((key) => [flagName(key).slice(2), { type: kindOf(key).kind.flagType }]),
  );
  const { tokens, values, positionals } = parseArgs({
    args: [...argv],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const given = new Map<string, string>();
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const before = given.get(token.name);
    // The last one would win, and a file or a car named before it be left out without a word.
    if (token.value !== undefined && before !== undefined && before !== token.value)
      faults.push(
        `${token.rawName}: given twice, "${before}" and "${token.value}"; give it once, several values of a list with commas`,
      );
    if (token.value !== undefined) given.set(token.name, token.value);
    const known = options[token.name];
    const near = didYouMean(token.rawName, keys.map(flagName));
    if (!known) faults.push(`${token.rawName}: no such flag for this command${near}`);
    else if (known.type === 'string' && token.value === undefined)
      faults.push(`${token.rawName}: needs a value`);
  }
  return { values, positionals };
}

/** What a command line and an environment say. @throws TelltaleError CONFIG_INVALID with every fault, one a line */
export function readConfig(
  keys: readonly SettingKey[],
  argv: readonly string[],
  env: Environment = process.env,
): { readonly settings: Settings; readonly positionals: readonly string[] } {
  const faults: string[] = [];
  const { values, positionals } = readFlags(keys, argv, faults);
  const settings: Record<string, unknown> = {};
  for (const key of Object.keys(SETTINGS) as SettingKey[]) {
    const { kind, fallback, env: envName } = kindOf(key);
    const fromFlag = keys.includes(key) ? values[flagName(key).slice(2)] : undefined;
    const fromEnv = envName === undefined ? undefined : env[envName];
    settings[key] = fallback;
    const raw = fromFlag === undefined ? fromEnv : String(fromFlag);
    // A string flag without its value arrives as `true` and has been reported above.
    if (raw === undefined || raw === '' || (fromFlag === true && kind.flagType === 'string')) continue;
    const parsed = kind.parse(raw);
    if ('fault' in parsed)
      faults.push(`${fromFlag === undefined ? envName : flagName(key)}: ${parsed.fault}`);
    else settings[key] = parsed.value;
  }
  if (faults.length > 0) throw new TelltaleError('CONFIG_INVALID', faults.join('\n'));
  return { settings: Object.freeze(settings) as Settings, positionals };
}

function defaultText(value: unknown): string {
  if (value === '' || value === false || value === null || (Array.isArray(value) && value.length === 0))
    return '';
  return ` (default ${Array.isArray(value) ? value.join(',') : String(value)})`;
}

/** The flags of a command, one a line, for --help and the reference page. */
export function describeSettings(keys: readonly SettingKey[]): string {
  const rows = keys.map((key) => {
    const { kind, fallback, env, about } = kindOf(key);
    const left = `  ${flagName(key)}${kind.placeholder === '' ? '' : ` ${kind.placeholder}`}`;
    return [left, `${about}${defaultText(fallback)}${env === undefined ? '' : `  [${env}]`}`] as const;
  });
  const width = Math.min(34, Math.max(...rows.map(([left]) => left.length)) + 2);
  return rows
    .map(([left, right]) =>
      left.length >= width ? `${left}\n${' '.repeat(width)}${right}` : left.padEnd(width) + right,
    )
    .join('\n');
}
