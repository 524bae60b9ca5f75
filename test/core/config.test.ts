import { describe, expect, it } from 'vitest';
import { describeSettings, readConfig } from '../../core/config.ts';
import { LOG_SETTINGS, SETTINGS, type SettingKey } from '../../core/settings.ts';

const keys = ['dataDir', 'mqttPort', 'kafkaBrokers', 'httpPort'] as const satisfies readonly SettingKey[];

describe('readConfig', () => {
  it('takes defaults, then the environment, then flags', () => {
    expect(readConfig(keys, [], {}).settings.mqttPort).toBe(1883);
    expect(readConfig(keys, [], { TELLTALE_MQTT_PORT: '2000' }).settings.mqttPort).toBe(2000);
    expect(readConfig(keys, ['--mqtt-port', '3000'], { TELLTALE_MQTT_PORT: '2000' }).settings.mqttPort).toBe(
      3000,
    );
  });

  it('reads lists and keeps positionals', () => {
    const { settings, positionals } = readConfig(keys, ['one', '--kafka-brokers=a:1, b:2', 'two'], {});
    expect(settings.kafkaBrokers).toEqual(['a:1', 'b:2']);
    expect(positionals).toEqual(['one', 'two']);
  });

  it('reports every fault at once, each with its flag or variable', () => {
    const read = () =>
      readConfig(keys, ['--mqtt-port', '99999', '--colour', 'red', '--data-dir'], {
        TELLTALE_HTTP_PORT: 'x',
      });
    expect(read).toThrow(
      [
        '--colour: no such flag for this command',
        '--data-dir: needs a value',
        '--mqtt-port: must be a whole number from 0 to 65535, not "99999"',
        'TELLTALE_HTTP_PORT: must be a whole number from 0 to 65535, not "x"',
      ].join('\n'),
    );
    expect(read).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  });

  it('refuses a flag that is given twice and says two things', () => {
    expect(() => readConfig(keys, ['--data-dir', 'a', '--data-dir=b', '--mqtt-port', '1'], {})).toThrow(
      '--data-dir: given twice, "a" and "b"; give it once, several values of a list with commas',
    );
    expect(readConfig(keys, ['--data-dir', 'a', '--data-dir', 'a'], {}).settings.dataDir).toBe('a');
  });

  it('gives a frozen result', () => {
    expect(Object.isFrozen(readConfig(keys, [], {}).settings)).toBe(true);
  });

  it('takes an empty variable as not set', () => {
    expect(readConfig(keys, [], { KAFKA_BROKERS: '' }).settings.kafkaBrokers).toEqual([]);
  });
});

describe('SETTINGS', () => {
  it('gives every environment variable to one setting only', () => {
    const names = Object.values(SETTINGS).flatMap((s) => ('env' in s && s.env !== undefined ? [s.env] : []));
    expect(new Set(names).size).toBe(names.length);
  });

  it('is described with its flag, default and variable', () => {
    const text = describeSettings(LOG_SETTINGS);
    expect(text).toContain('--kafka-brokers A,B,…');
    expect(text).toContain('(default ./data)  [TELLTALE_DATA_DIR]');
  });
});
