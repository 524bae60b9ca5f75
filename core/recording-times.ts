// Which column of a recording holds its times, or which two together (a date and a time of day), and how a row's time is read
// from them. A column that does not move, or whose cells are no times, is refused with the next step.
import { didYouMean } from './did-you-mean.ts';
import { fault, listed, shown } from './recording-fault.ts';
import { MidnightCounter } from './recording-midnight.ts';
import { isMillisName, MillisSurvey, withMillis } from './recording-millis.ts';
import { type ColumnTimes, TimeSurvey } from './recording-time.ts';
import { wordsOf } from './time-words.ts';

const USUAL_NAMES = ['timestamp', 'time', 'ts', 'datetime', 'date'];
const DATE_WORDS = new Set('date datum fecha data dag jour day tag'.split(' '));
const TIME_WORDS = new Set(
  (
    'time times timestamp ts t datetime elapsed offset clock utc epoch zeit uhrzeit zeitstempel hora tiempo heure temps horodatage ' +
    'ora orario tempo tijd tijdstip'
  ).split(' '),
);
/** Words of names such as `unixtime`, `timestampms` and `Zeitpunkt`. */
const LIKE_TIME = /^(?:timestamp|zeitpunkt|millis|seconds$|sekunden$|msec)|(?:time|zeit|stamp)$/;
/** Columns looked at, at most. */
const MOST_COLUMNS = 12;

const named = (name: string, words: ReadonlySet<string>): boolean =>
  wordsOf(name).some((word) => words.has(word) || (words === TIME_WORDS && LIKE_TIME.test(word)));

/** The columns that may be the time, the likeliest first; one when a person named it. */
function candidates(file: string, header: readonly string[], asked: string): number[] {
  if (asked !== '') {
    const at = header.indexOf(asked);
    if (at >= 0) return [at];
    // Two that are read together, as they are named when that is said.
    const parts = asked.split(/ *[+,] */).map((name) => header.indexOf(name));
    if (parts.length > 1 && parts.every((i) => i >= 0)) return parts.slice(0, 2);
    throw fault(
      file,
      `no column "${shown(asked)}" for the time${didYouMean(asked, header)} (the header has ${listed(header)})`,
    );
  }
  const usual = [...header.keys()].filter((i) => USUAL_NAMES.includes(header[i]!.toLowerCase()));
  const like = [...header.keys()]
    .filter((i) => !usual.includes(i) && (named(header[i]!, TIME_WORDS) || named(header[i]!, DATE_WORDS)))
    .sort((a, b) => wordsOf(header[a]!).length - wordsOf(header[b]!).length || a - b);
  // A signal may be called "run time": it is taken for the time only where no column with a usual name can be.
  const found = [...usual, ...like];
  if (found.length === 0)
    throw fault(
      file,
      `no time column; name it with --time (the header has ${listed(header.filter((name) => name !== ''))})`,
    );
  return found;
}

/** Reads the times of one pass over the rows, which must come in the order of the file. */
export interface TimeReader {
  /** Event time, ms; NaN when it cannot be read. */
  readonly ms: (record: readonly string[], id: string) => number;
  /** The time as it stands in the file. */
  readonly text: (record: readonly string[]) => string;
  /** Why it cannot be read. */
  readonly why: (record: readonly string[]) => string;
}

/** The times of a recording, decided. */
export interface RecordingTimes {
  /** The column, or the date's and the time of day's. */
  readonly columns: readonly number[];
  /** In words: which columns and in what unit or form, and what is odd about them. */
  readonly remarks: readonly string[];
  reader(): TimeReader;
}

interface Part {
  readonly index: number;
  readonly times: ColumnTimes;
}

const FORMS =
  'read are dates such as 2023-11-15T22:13:20Z, 15.11.2023 22:13:20, 11/15/2023 10:13:20 PM, 15-Nov-2023 22:13:20, ' +
  '20231115221320 and spreadsheet dates, times such as 22:13:20 or 00:01:23.5, and numbers with their unit in the header, ' +
  'such as "time (ms)"';

/** Steps looked at before a column can be said not to move, and the share of them that must. */
const LEAST_STEPS = 10;
const MOVING_SHARE = 0.002;
const COARSE_SHARE = 0.5;

const movingShare = (steps: readonly number[]): number =>
  steps.length < LEAST_STEPS ? 1 : steps.filter((step) => step !== 0).length / steps.length;

export interface TimesPlan {
  readonly file: string;
  readonly header: readonly string[];
  /** The column that a person named; empty: none. */
  readonly asked: string;
  /** Columns that are not to be used. */
  readonly ignore: readonly string[];
  /** As in readCell. */
  readonly decimalComma: boolean;
}

/** Whether times rise, or fall, nearly always. */
function goesOneWay(steps: readonly number[]): boolean {
  const moved = steps.filter((step) => step !== 0);
  const up = moved.filter((step) => step > 0).length;
  return Math.max(up, moved.length - up) >= 0.9 * moved.length;
}

/** Looks at every row's cells of the columns that may hold times, then decides. */
export class TimesSurvey {
  readonly #file: string;
  readonly #header: readonly string[];
  readonly #candidates: readonly number[];
  /** Columns that are the time by what a person said, or by a usual name. */
  readonly #named: ReadonlySet<number>;
  /** Whether a person named the columns. */
  readonly #asked: boolean;
  readonly #columns = new Map<number, TimeSurvey>();
  readonly #millis: MillisSurvey | null;

  /** @throws TelltaleError RECORDING_INVALID when no column can be the time */
  constructor({ file, header, asked, ignore, decimalComma }: TimesPlan) {
    this.#file = file;
    this.#header = header.map((name) => (ignore.includes(name) && name !== asked ? '' : name));
    this.#candidates = candidates(file, this.#header, asked);
    this.#asked = asked !== '';
    this.#named = new Set(
      this.#candidates.filter((i) => asked !== '' || USUAL_NAMES.includes(header[i]!.toLowerCase())),
    );
    const others = [...header.keys()].filter(
      (i) => named(this.#header[i]!, DATE_WORDS) || named(this.#header[i]!, TIME_WORDS),
    );
    const millis = this.#header.findIndex(
      (name, i) => isMillisName(name) && name !== asked && header[i] === name,
    );
    this.#millis = millis < 0 ? null : new MillisSurvey(millis);
    for (const i of [...this.#candidates, ...others]) {
      if (this.#columns.size < MOST_COLUMNS && !this.#columns.has(i))
        this.#columns.set(i, new TimeSurvey(header[i]!, decimalComma));
    }
  }

  add(record: readonly string[], id: string): void {
    for (const [i, survey] of this.#columns) survey.add(record[i] ?? '', id);
    this.#millis?.add(record);
  }

  /** @throws TelltaleError RECORDING_INVALID when the cells are no times, or do not move */
  choose(): RecordingTimes {
    const reasons: { readonly index: number; readonly why: string }[] = [];
    for (const index of this.#candidates.slice(0, MOST_COLUMNS)) {
      const times = this.#columns.get(index)!.decide();
      const why = this.#refusal(index, times);
      const found = this.#joined({ index, times }) ?? (why === null ? this.#alone({ index, times }) : null);
      if (found) {
        const passedOver = reasons.filter((one) => !found.columns.includes(one.index)).map((one) => one.why);
        return { ...found, remarks: [...found.remarks, ...passedOver] };
      }
      reasons.push({ index, why: why ?? '' });
    }
    throw fault(this.#file, `${reasons[0]?.why}; ${this.#others()}`);
  }

  #refusal(index: number, { kind, unreadShare, unread, example, steps }: ColumnTimes): string | null {
    const name = `column ${this.#header[index]}`;
    if (unreadShare === 1 && unread === '') return `${name} is empty`;
    if (unreadShare > 0.5) return `${name}: "${shown(unread)}" is no time that can be read (${FORMS})`;
    const share = movingShare(steps);
    if (share >= MOVING_SHARE && (kind !== 'date' || share >= COARSE_SHARE))
      return this.#named.has(index) || goesOneWay(steps) ? null : `${name} goes up and down`;
    return `${name} does not move: it is the same in ${share === 0 ? 'every row' : 'nearly all rows'} of a car, such as "${shown(example)}"`;
  }

  /** What to do about a refused column. */
  #others(): string {
    const others = [...this.#columns]
      .filter(([index, survey]) => {
        if (this.#candidates[0] === index) return false;
        const times = survey.decide();
        return (
          times.unreadShare <= 0.5 && movingShare(times.steps) >= MOVING_SHARE && goesOneWay(times.steps)
        );
      })
      .map(([index]) => this.#header[index]!);
    return others.length > 0
      ? `name the time column with --time (${others.join(', ')} ${others.length === 1 ? 'looks' : 'look'} like times)`
      : 'name another column with --time, or write one that counts the seconds';
  }

  /** A date and a time of day that belong together, whichever of them was named. */
  #joined(part: Part): RecordingTimes | null {
    const { kind } = part.times;
    if (kind === 'instant') return null;
    const role = kind === 'date' ? 'date' : 'ofDay';
    const own = kind === 'date' ? part.times : this.#columns.get(part.index)!.decide('ofDay');
    if (own.kind !== role || own.unreadShare > 0.5) return null;
    const wanted = role === 'date' ? 'ofDay' : 'date';
    for (const [index, survey] of this.#columns) {
      const belongs = wanted === 'date' ? DATE_WORDS : TIME_WORDS;
      const said = this.#asked && this.#candidates.includes(index);
      if (index === part.index || !(said || named(this.#header[index]!, belongs))) continue;
      const times = survey.decide(wanted);
      if (times.kind !== wanted || times.unreadShare > 0.5) continue;
      const [date, ofDay] =
        role === 'date'
          ? [
              { ...part, times: own },
              { index, times },
            ]
          : [
              { index, times },
              { ...part, times: own },
            ];
      if (movingShare(ofDay.times.steps) >= MOVING_SHARE) return this.#together(date, ofDay);
    }
    return null;
  }

  #together(date: Part, ofDay: Part): RecordingTimes {
    const names = `${this.#header[date.index]} and ${this.#header[ofDay.index]}`;
    return this.#complete(ofDay.times.steps, {
      columns: [date.index, ofDay.index],
      remarks: [
        `times: ${names} read together (${date.times.says}; ${ofDay.times.says}), no zone named: taken as UTC`,
        ...this.#coarse(names, ofDay.times.steps),
      ],
      reader: () => ({
        ms: (record) =>
          date.times.read(record[date.index] ?? '') + ofDay.times.read(record[ofDay.index] ?? ''),
        text: (record) => `${record[date.index] ?? ''} ${record[ofDay.index] ?? ''}`,
        why: whyNot([date, ofDay]),
      }),
    });
  }

  #alone({ index, times }: Part): RecordingTimes {
    const { kind, read, says, steps } = times;
    const name = this.#header[index]!;
    const ofDay = kind === 'ofDay';
    const midnight = ofDay ? '; there is no date, so a fall of more than an hour begins the next day' : '';
    const forward = steps.reduce((sum, step) => sum + Math.sign(step), 0) >= 0;
    return this.#complete(steps, {
      columns: [index],
      remarks: [`times: ${name}: ${says}${midnight}`, ...this.#coarse(name, steps)],
      reader: () => {
        const days = ofDay ? new MidnightCounter(forward) : null;
        return {
          ms: (record, id) => {
            const ms = read(record[index] ?? '');
            return days === null || Number.isNaN(ms) ? ms : ms + days.shiftMs(id, ms);
          },
          text: (record) => record[index] ?? '',
          why: whyNot([{ index, times }]),
        };
      },
    });
  }

  /** Whole seconds have their milliseconds in a column of their own. */
  #millisFor(steps: readonly number[]): MillisSurvey | null {
    return this.#millis?.isMillis && steps.includes(0) && steps.every((step) => step % 1000 === 0)
      ? this.#millis
      : null;
  }

  #complete(steps: readonly number[], times: RecordingTimes): RecordingTimes {
    const millis = this.#millisFor(steps);
    return millis === null || times.columns.includes(millis.index) ? times : withMillis(times, millis.index);
  }

  #coarse(names: string, steps: readonly number[]): string[] {
    const millis = this.#millisFor(steps);
    if (millis) return [`${names}: with the milliseconds in ${this.#header[millis.index]}`];
    const share = movingShare(steps);
    if (share >= COARSE_SHARE) return [];
    return [
      `${names}: the same as in the row before in ${Math.round(100 * (1 - share))} % of rows; rows come faster than it tells`,
    ];
  }
}

/** A time of another unit or of a broken clock is told from what is none. */
const whyNot =
  (parts: readonly Part[]) =>
  (record: readonly string[]): string => {
    const bad = parts.filter(({ index, times }) => Number.isNaN(times.read(record[index] ?? '')));
    const far = bad.every(({ index, times }) => times.isFar(record[index] ?? ''));
    return far ? 'is far from all other times' : 'is no time';
  };
