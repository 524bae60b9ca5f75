// The README's table of figures is what the kept runs of the benchmarks say, and nothing else.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type SavedRun, savedRun } from '../bench/support.ts';
import { figuresTable, README_FILE, savedRuns, withTable } from '../scripts/figures.ts';

const run: SavedRun = {
  title: 'A bench',
  day: '2026-11-28',
  machine: '2 × Some CPU, 24 GiB, linux, Node 24.21.0, commit abc1234',
  command: 'node bench/a.ts --runs 3',
  figures: [{ what: 'speed', value: 43_512.4, unit: 'events/s', bar: { atLeast: 35_000 } }],
};

describe('the table of figures', () => {
  it('stands in the README as the kept runs make it', () => {
    const readme = readFileSync(README_FILE, 'utf8');
    expect(withTable(readme, figuresTable(savedRuns()))).toBe(readme);
  });

  it('says figure, bar, script, day and commit', () => {
    const table = figuresTable(new Map([['a', run]]), [{ run: 'a', figure: 'speed', label: 'How fast' }]);
    expect(table).toContain('Machine: 2 × Some CPU, 24 GiB, linux, Node 24.21.0.');
    expect(table.split('\n').at(-1)).toBe(
      '| How fast | 43,512 events/s | met: ≥ 35,000 (× 1.24) | `bench/a.ts --runs 3` | 2026-11-28, abc1234 |',
    );
  });

  it('says which run is missing, and refuses a figure that its run does not have', () => {
    const rows = [
      { run: 'a', figure: 'speed', label: 'How fast' },
      { run: 'b', figure: 'speed', label: 'How fast is b' },
    ];
    const table = figuresTable(new Map([['a', run]]), rows);
    expect(table.split('\n').at(-1)).toBe('No run is kept of: b.');
    expect(table).not.toContain('How fast is b');
    const other = [{ run: 'a', figure: 'weight', label: 'How heavy' }];
    expect(() => figuresTable(new Map([['a', run]]), other)).toThrow('has no figure "weight"');
  });

  it('keeps a run under its own name or one that is given, without --save in its command', () => {
    const now = new Date('2026-11-28T23:59:00Z');
    const kept = (...flags: string[]) =>
      savedRun('t', [], ['node', `${process.cwd()}/bench/feed.ts`, ...flags], now);
    expect(kept('--json')).toBeNull();
    expect(kept('--seconds', '4', '--save')).toMatchObject({
      name: 'feed',
      run: { day: '2026-11-28', command: 'node bench/feed.ts --seconds 4' },
    });
    expect(kept('--save', 'feed-kafka', '--seconds', '4')).toMatchObject({
      name: 'feed-kafka',
      run: { command: 'node bench/feed.ts --seconds 4' },
    });
    expect(kept('--save', '--seconds', '4')).toMatchObject({ name: 'feed' });
  });
});
