// Words that stand in written times: months in the languages of the usual exports, weekdays, zones, and units in headers.
// Lists of our own, not the runtime's locale data: what is read does not depend on how Node was built.

const MONTHS: readonly string[] = [
  'jan january januar janner janvier janv enero ene gennaio gen januari janeiro',
  'feb february februar fevrier fevr fev febrero febbraio februari fevereiro',
  'mar march marz mrz mars marzo maart mrt marco',
  'apr april avril avr abril abr aprile',
  'may mai mayo maggio mag mei maio',
  'jun june juni juin junio giugno giu junho',
  'jul july juli juillet juil julio luglio lug julho',
  'aug august aout agosto ago augustus',
  'sep sept september septembre septiembre settembre set setembro',
  'oct october okt oktober octobre octubre ottobre ott out outubro',
  'nov november novembre noviembre novembro',
  'dec december dez dezember decembre diciembre dic dicembre dezembro',
];

const WEEKDAYS =
  'mon monday tue tues tuesday wed wednesday thu thur thurs thursday fri friday sat saturday sun sunday ' +
  'mo montag di dienstag mi mittwoch do donnerstag fr freitag sa samstag sonnabend so sonntag ' +
  'lun lundi mardi mer mercredi jeu jeudi ven vendredi sam samedi dim dimanche ' +
  'lunes mar martes mie miercoles jue jueves vie viernes sab sabado dom domingo ' +
  'lunedi martedi mercoledi gio giovedi venerdi sabato domenica ' +
  'ma maandag dinsdag wo woensdag donderdag vr vrijdag za zaterdag zo zondag ' +
  'seg segunda ter terca qua quarta qui quinta sex sexta';

/** Hours east of Greenwich. Names that several zones share are the ones that cars' own clocks are set to most. */
const ZONES: Readonly<Record<string, number>> = {
  ...{
    Z: 0,
    UTC: 0,
    GMT: 0,
    UT: 0,
    WET: 0,
    WEST: 1,
    BST: 1,
    CET: 1,
    CEST: 2,
    MEZ: 1,
    MESZ: 2,
    EET: 2,
    EEST: 3,
  },
  ...{
    MSK: 3,
    IST: 5.5,
    JST: 9,
    KST: 9,
    AWST: 8,
    ACST: 9.5,
    AEST: 10,
    AEDT: 11,
    NZST: 12,
    NZDT: 13,
    SAST: 2,
  },
  ...{ AST: -4, ADT: -3, EST: -5, EDT: -4, CST: -6, CDT: -5, MST: -7, MDT: -6, PST: -8, PDT: -7, BRT: -3 },
};

/** Without accents and dots, in small letters: `Août.` → `aout`. */
const plain = (word: string): string =>
  word
    .normalize('NFD')
    .replaceAll(/[\u0300-\u036f.]/g, '')
    .toLowerCase();

const monthOf = new Map(MONTHS.flatMap((names, i) => names.split(' ').map((name) => [name, i + 1] as const)));
const weekdays = new Set(WEEKDAYS.split(' '));

/** 1 to 12; NaN when the word names no month. */
export const monthNamed = (word: string): number => monthOf.get(plain(word)) ?? Number.NaN;

export const isWeekday = (word: string): boolean => weekdays.has(plain(word));

const ZONE = /^([A-Za-z]{1,4})?([+-]\d{1,2}(?::?\d\d)?)?(?: [A-Z]{3,4})?$/;

/** Ms east of Greenwich of `Z`, `CET`, `+0100`, `GMT+01:00`; 0 of nothing; NaN when it is no zone that is known. */
export function zoneMs(text: string): number {
  const parts = ZONE.exec(text);
  if (!parts) return Number.NaN;
  const named = parts[1] === undefined ? 0 : (ZONES[parts[1].toUpperCase()] ?? Number.NaN);
  const [, , offset] = parts;
  if (offset === undefined) return named * 3_600_000;
  // CET+01:00 would say it twice; only Greenwich is counted from.
  if (named !== 0) return Number.NaN;
  const digits = offset.slice(1).replace(':', '');
  const hours = Number(digits.length > 2 ? digits.slice(0, -2) : digits);
  const minutes = digits.length > 2 ? Number(digits.slice(-2)) : 0;
  if (hours > 14 || minutes > 59) return Number.NaN;
  return (offset.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}

export type TimeUnit = 'ns' | 'us' | 'ms' | 's' | 'min' | 'h' | 'd';

export const MS_PER_UNIT: Readonly<Record<TimeUnit, number>> = {
  ...{ ns: 1e-6, us: 1e-3, ms: 1, s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000 },
};

export const UNIT_WORDS: Readonly<Record<TimeUnit, string>> = {
  ...{ ns: 'nanoseconds', us: 'microseconds', ms: 'milliseconds', s: 'seconds' },
  ...{ min: 'minutes', h: 'hours', d: 'days' },
};

const UNITS: Readonly<Record<TimeUnit, string>> = {
  ns: 'ns nsec nsecs nano nanos nanosec nanosecond nanoseconds nanosekunden',
  us: 'us µs μs usec usecs micro micros microsec microsecond microseconds mikrosekunden',
  ms: 'ms msec msecs milli millis millisec millisecs millisecond milliseconds millisekunden milisegundos millisecondes',
  s: 's sec secs second seconds sek sekunde sekunden segundo segundos seconde secondes secondi',
  min: 'min mins minute minutes minuten minutos minuti',
  h: 'h hr hrs hour hours std stunde stunden hora horas heures ore',
  d: 'd days tage dias jours giorni',
};

const unitOf = new Map(
  (Object.keys(UNITS) as TimeUnit[]).flatMap((unit) =>
    UNITS[unit].split(' ').map((word) => [word, unit] as const),
  ),
);

/** The words of a column's name, in small letters: `elapsedMillis`, `t_ms`, `Time (msec)`. */
export const wordsOf = (name: string): string[] =>
  name
    .replaceAll(/(\p{Ll})(\p{Lu})/gu, '$1 $2')
    .normalize('NFC')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '');

/** A unit alone, as it stands behind a number. */
export const unitNamed = (word: string): TimeUnit | null => unitOf.get(word.toLowerCase()) ?? null;

/** Ms of a unit with a number, as in `TimeStamp (100ns)`; NaN when the name says none. */
export function stepInHeader(name: string): number {
  const found = /[([{ ](\d+(?:\.\d+)?) ?(\p{L}+)[)\]}]?$/u.exec(name);
  const unit = found ? unitNamed(found[2]!) : null;
  return unit === null ? Number.NaN : Number(found![1]) * MS_PER_UNIT[unit];
}

/** The unit that a column's name says; null when it says none, or `hh:mm:ss`. */
export function unitInHeader(name: string): TimeUnit | null {
  // What stands in brackets is the unit if anything is; else the last word that is one.
  const inBrackets = /[([{]([^)\]}]*)[)\]}]/.exec(name)?.[1];
  for (const text of inBrackets === undefined ? [name] : [inBrackets, name]) {
    const found = wordsOf(text).flatMap((word) => unitNamed(word) ?? []);
    if (found.length === 1) return found[0]!;
    // "hours since start" of "(h:min:s)": more than one unit is a way of writing, not a unit.
    if (found.length > 1) return null;
  }
  return null;
}
