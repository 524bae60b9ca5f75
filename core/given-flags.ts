// Which settings were given: for commands whose flags do not all go together, where one that is passed over in silence misleads, and for
// another process that is to have the same.
import { flagName } from './config.ts';
import { SETTINGS, type SettingKey, type Settings } from './settings.ts';

/** Flags of those settings that are not as they are by default. */
export function givenFlags(settings: Settings, keys: readonly SettingKey[]): string[] {
  const text = (value: unknown) => JSON.stringify(value);
  return keys.filter((key) => text(settings[key]) !== text(SETTINGS[key].fallback)).map(flagName);
}

/** The flags that give another process these settings. Rates are an hour's. */
export function flagsFor(settings: Settings, keys: readonly SettingKey[]): string[] {
  const given = new Set(givenFlags(settings, keys));
  return keys.flatMap((key) => {
    const value = settings[key];
    if (!given.has(flagName(key)) || value === null) return [];
    const words = Array.isArray(value) ? value.join(',') : String(value);
    return [`${flagName(key)}=${key === 'alertBudget' ? `${Number(value).toFixed(9)}/h` : words}`];
  });
}
