// Writes docs/reference.md from the code's own tables: commands, settings, topics, schemas, errors, metrics.
// `node scripts/reference.ts` writes it; test/reference.test.ts holds the file against the code.
import { writeFile } from 'node:fs/promises';
import { describeSettings } from '../core/config.ts';
import { ERRORS } from '../core/errors.ts';
import type { Schema } from '../core/events.ts';
import { METRICS } from '../core/metrics.ts';
import { SETTINGS } from '../core/settings.ts';
import { FIXED_TOPICS, policyStateTopic, scorerStateTopic, scoresTopic } from '../core/topics.ts';
import { COMMANDS } from '../main.ts';

export const REFERENCE_FILE = new URL('../docs/reference.md', import.meta.url).pathname;

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function commands(): string {
  return Object.entries(COMMANDS)
    .map(([name, command]) => {
      const usage = `telltale ${name} ${command.usage ?? '[flags]'}`;
      return `### ${name}\n\n${command.about}\n\n\`\`\`\n${usage}\n\n${describeSettings(command.settings)}\n\`\`\``;
    })
    .join('\n\n');
}

function environment(): string {
  const rows = Object.entries(SETTINGS).flatMap(([key, setting]) =>
    'env' in setting && setting.env !== undefined
      ? [[`\`${setting.env}\``, setting.about, `\`${JSON.stringify(setting.fallback)}\``, key]]
      : [],
  );
  return table(['Variable', 'Meaning', 'Default', 'Setting'], rows);
}

const days = (ms: number | null) => (ms === null ? 'for ever' : `${ms / 86_400_000} days`);

function topics(): string {
  const all = [
    ...FIXED_TOPICS,
    scoresTopic('<model>'),
    scorerStateTopic('<model>'),
    policyStateTopic('<model>'),
  ];
  const rows = all.map((t) => [
    `\`${t.name}\``,
    t.key,
    t.partitions === null ? 'setting `partitions`' : String(t.partitions),
    t.compacted ? 'compacted' : days(t.retentionMs),
    t.owner,
    t.form,
    t.about,
  ]);
  return table(['Topic', 'Key', 'Partitions', 'Kept', 'Written by', 'Values', 'What'], rows);
}

function typeName(schema: Schema): string {
  const s = schema as Schema & {
    type?: string;
    const?: unknown;
    enum?: readonly string[];
    anyOf?: readonly Schema[];
    items?: Schema;
  };
  if (s.const !== undefined) return JSON.stringify(s.const);
  if (s.enum) return s.enum.map((v) => JSON.stringify(v)).join(' or ');
  if (s.anyOf) return s.anyOf.map(typeName).join(' or ');
  if (s.type === 'array' && s.items) return `list of ${typeName(s.items)}`;
  return s.type ?? 'anything';
}

function fields(schema: Schema): string {
  const object = schema as {
    properties?: Record<string, Schema & { description?: string }>;
    required?: readonly string[];
  };
  const rows = Object.entries(object.properties ?? {}).map(([name, field]) => [
    `\`${name}\``,
    typeName(field),
    object.required?.includes(name) ? 'yes' : 'no',
    field.description ?? '',
  ]);
  return table(['Field', 'Type', 'Required', 'Meaning'], rows);
}

function schemas(): string {
  return FIXED_TOPICS.concat(scoresTopic('<model>') as never)
    .map((topic) => {
      const schema = topic.schema as Schema & { anyOf?: readonly Schema[] };
      const parts = schema.anyOf ?? [schema];
      return `### Values of \`${topic.name}\`\n\n${parts.map(fields).join('\n\n')}`;
    })
    .join('\n\n');
}

/** The whole page. */
export function renderReference(): string {
  const errors = table(
    ['Code', 'Trying again helps', 'Meaning'],
    Object.entries(ERRORS).map(([code, e]) => [`\`${code}\``, e.retryable ? 'yes' : 'no', e.means]),
  );
  const metrics = table(
    ['Metric', 'Type', 'Labels', 'Meaning'],
    Object.entries(METRICS).map(([name, m]) => [
      `\`${name}\``,
      m.type,
      'labels' in m ? m.labels.join(', ') : '',
      m.help,
    ]),
  );
  return [
    '# Reference',
    'Made from the code by `node scripts/reference.ts`; a test holds the two together.',
    '## Commands',
    commands(),
    '## Environment',
    'Each variable is the default of the flag of the same setting; a flag wins.',
    environment(),
    '## Topics',
    topics(),
    schemas(),
    '## Error codes',
    errors,
    '## Metrics',
    metrics,
    '',
  ].join('\n\n');
}

if (import.meta.main) {
  await writeFile(REFERENCE_FILE, renderReference());
  console.log('wrote docs/reference.md');
}
