// Which settings were given, for commands whose flags do not all go together: one that is passed over in silence misleads.
import { flagName } from './config.ts';
import { SETTINGS, type SettingKey, type Settings } from './settings.ts';

/** Flags of those settings that are not as they are by default. */
export function givenFlags(settings: Settings, keys: readonly SettingKey[]): string[] {
  const text = (value: unknown) => JSON.stringify(value);
  return keys.filter((key) => text(settings[key]) !== text(SETTINGS[key].fallback)).map(flagName);
}
