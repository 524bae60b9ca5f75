// Whether the hours of a history can be: a unit taken wrongly shows here, whatever else was learnt from the times.
import { counted } from '../../core/counted.ts';
import { TelltaleError } from '../../core/errors.ts';
import { carsIn, hoursIn, rowsIn, type Series, usualStepMs } from './series.ts';

/** Rows of a car come from some hundredths of a second to some minutes apart. */
const DOUBTED_BELOW_MS = 10;
const DOUBTED_ABOVE_MS = 10 * 60_000;
const ABSURD_ABOVE_MS = 7 * 86_400_000;
const FEW_ROWS = 100;
/** Rows of a car so many times further apart than those of most, or nearer, are in another unit. */
const OTHER_UNIT = 100;
const FEW_ROWS_OF_CAR = 30;
const NAMED = 3;

/**
 * What to ask about the hours; nothing when they are plausible.
 * @throws TelltaleError TRAINING_DATA when no time passes, or weeks between rows
 */
export function hoursRemarks(series: readonly Series[]): string[] {
  const rows = rowsIn(series);
  const stepMs = usualStepMs(series);
  const hours = hoursIn(series, Math.max(30_000, 60 * stepMs));
  if (rows < FEW_ROWS) return [];
  const what = `${rows.toLocaleString('en')} rows of ${counted(carsIn(series).length, 'car')}`;
  const mend =
    'check the time column and its unit (of a recording: --time, or the unit in the header, as "time (ms)")';
  if (hours === 0) throw new TelltaleError('TRAINING_DATA', `no time passes in ${what}; ${mend}`);
  if (stepMs > ABSURD_ABOVE_MS)
    throw new TelltaleError(
      'TRAINING_DATA',
      `${what} come ${Math.round(stepMs / 86_400_000)} days apart; ${mend}`,
    );
  const odd = oddCarsRemarks(series, stepMs, mend);
  if (stepMs >= DOUBTED_BELOW_MS && stepMs <= DOUBTED_ABOVE_MS) return odd;
  const apart =
    stepMs < 1000 ? `${Number(stepMs.toPrecision(2))} ms` : `${Number((stepMs / 60_000).toPrecision(2))} min`;
  return [
    ...odd,
    `${hours.toLocaleString('en', { maximumSignificantDigits: 3 })} h of ${counted(carsIn(series).length, 'car')}, rows ${apart} apart: is the unit right? ${mend}`,
  ];
}

const seconds = (ms: number) => `${(ms / 1000).toLocaleString('en', { maximumSignificantDigits: 2 })} s`;

/** Cars whose times are not those of the others: files of several loggers put together, each with its own unit. */
function oddCarsRemarks(series: readonly Series[], stepMs: number, mend: string): string[] {
  const cars = new Map<string, Series[]>();
  for (const one of series) {
    const own = cars.get(one.id);
    if (own) own.push(one);
    else cars.set(one.id, [one]);
  }
  const odd: string[] = [];
  for (const [id, own] of cars) {
    if (rowsIn(own) < FEW_ROWS_OF_CAR) continue;
    const ownMs = usualStepMs(own);
    if (Math.max(ownMs / stepMs, stepMs / ownMs) >= OTHER_UNIT) odd.push(`${id} (${seconds(ownMs)})`);
  }
  if (odd.length === 0) return [];
  const some = odd.slice(0, NAMED).join(', ') + (odd.length > NAMED ? ` and ${odd.length - NAMED} more` : '');
  return [
    `rows of ${counted(odd.length, 'car')} come ${OTHER_UNIT} times as far apart as those of the others (${seconds(stepMs)}), or as near: ${some}: is the unit right? ${mend}`,
  ];
}
