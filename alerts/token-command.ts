// `telltale token add|list|revoke`: who may see which cars, without an editor. A new token is printed once, alone on stdout.

import { Ajv } from 'ajv';
import { counted } from '../core/counted.ts';
import { TelltaleError } from '../core/errors.ts';
import type { Context } from '../core/service.ts';
import type { Settings } from '../core/settings.ts';
import { tokensPath } from './command.ts';
import { addToken, revokeToken } from './token-file.ts';
import { readTokens, TokensFile } from './tokens.ts';

const Entry = TokensFile.properties.tokens.items.properties;
const ajv = new Ajv({ strict: false });
const isName = ajv.compile(Entry.name);
const areCars = ajv.compile(Entry.vins);

const invalid = (message: string) => new TelltaleError('CONFIG_INVALID', message);
const carsOf = (vins: '*' | readonly string[]) =>
  vins === '*' || vins.includes('*') ? 'all cars' : vins.length === 0 ? 'no car' : vins.join(',');

const LISTED_CARS = 5;

function add(path: string, name: string, { cars, control }: Settings, { say, warn }: Context) {
  if (cars.length === 0)
    throw invalid("--cars: which cars it may see: --cars VIN,VIN, --cars 'TLTEVC*' or, for all, --cars '*'");
  const vins = cars.includes('*') ? ('*' as const) : [...cars];
  if (!areCars(vins)) throw invalid(`--cars: ${ajv.errorsText(areCars.errors, { dataVar: 'cars' })}`);
  return addToken(path, { name, vins, ...(control ? { control } : {}) }).then((token) => {
    warn(
      `token of ${name}: sees ${carsOf(vins)}${control ? ', may break them' : ''}; in force within a second,`,
    );
    warn('printed this once; telltale token revoke takes it away:');
    say(token);
  });
}

function list(path: string, { say }: Context): void {
  for (const { name, vins, control } of readTokens(path).tokens) {
    const more = vins !== '*' && vins.length > LISTED_CARS ? ` and ${vins.length - LISTED_CARS} more` : '';
    const cars = carsOf(vins === '*' ? vins : vins.slice(0, LISTED_CARS));
    say(`${name}: ${cars}${more}${control ? ', may break them' : ''}`);
  }
}

/** @throws TelltaleError CONFIG_INVALID */
export async function runToken(
  settings: Settings,
  context: Context,
  [action, name, ...rest]: readonly string[] = [],
): Promise<void> {
  const path = tokensPath(settings);
  const extra = action === 'list' && name !== undefined ? [name, ...rest] : rest;
  if (extra.length > 0) throw invalid(`${extra.join(' ')}: token ${action} takes no such argument`);
  if (action === 'list') return list(path, context);
  if (action !== 'add' && action !== 'revoke')
    throw invalid('token add NAME, token list or token revoke NAME');
  if (!isName(name))
    throw invalid(`token ${action}: a name of 1 to 64 characters is needed: whose token it is`);
  const whose = name as string;
  if (action === 'add') return add(path, whose, settings, context);
  const gone = await revokeToken(path, whose);
  context.say(
    `revoked: ${gone === 1 ? 'the token' : counted(gone, 'token')} of ${whose}; refused within a second`,
  );
}
