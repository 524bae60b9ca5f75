// Whether the hours of a history can be: a unit taken wrongly shows here, whatever else was learnt from the times.
import { counted } from '../core/counted.ts';
import { TelltaleError } from '../core/errors.ts';
import { carsIn, hoursIn, rowsIn, type Series, usualStepMs } from './series.ts';

/** Rows of a car come from some hundredths of a second to some minutes apart. */
const DOUBTED_BELOW_MS = 10;
const DOUBTED_ABOVE_MS = 10 * 60_000;
const ABSURD_ABOVE_MS = 7 * 86_400_000;
const FEW_ROWS = 100;

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
  if (stepMs >= DOUBTED_BELOW_MS && stepMs <= DOUBTED_ABOVE_MS) return [];
  const apart =
    stepMs < 1000 ? `${Number(stepMs.toPrecision(2))} ms` : `${Number((stepMs / 60_000).toPrecision(2))} min`;
  return [
    `${hours.toLocaleString('en', { maximumSignificantDigits: 3 })} h of ${counted(carsIn(series).length, 'car')}, rows ${apart} apart: is the unit right? ${mend}`,
  ];
}
