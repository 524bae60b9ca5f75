// Whether a model keeps the budget that was asked for, in words: a first model of half an hour seldom does, and says so
// wherever it is spoken of.

export interface Verdict {
  /** Alerts an hour met on cars not used to set the threshold are more than asked for and more than chance gives. */
  readonly over: boolean;
  readonly text: string;
}

/** Standard deviations of a Poisson count, and alerts beside, that chance may give. */
const DEVIATIONS = 2;
const ALERTS_MORE = 1;
/** Hours of a car below which it has hardly been seen. */
const FEW_HOURS = 1;

const rate = (perHour: number) => Number(perHour.toPrecision(2)).toString();

/** @param hours of driving that the rate met was counted over, of so many `cars` */
export function budgetVerdict(
  { askedPerHour, metPerHour }: { readonly askedPerHour: number; readonly metPerHour: number },
  { hours, cars }: { readonly hours: number; readonly cars: number },
): Verdict {
  if (!Number.isFinite(metPerHour))
    return {
      over: false,
      text: `asked for ${rate(askedPerHour)} false alerts an hour; what it meets is not known: too few cars to keep some apart`,
    };
  const [asked, met] = [askedPerHour * hours, Math.round(metPerHour * hours)];
  const over = met > asked + DEVIATIONS * Math.sqrt(asked) + ALERTS_MORE;
  const figures = `asked for ${rate(askedPerHour)} false alerts an hour (${rate(asked)} in ${hours.toFixed(1)} h), met ${rate(metPerHour)} (${met}) on cars not used to set it`;
  if (!over) return { over, text: `keeps its budget as far as ${hours.toFixed(1)} h can tell: ${figures}` };
  const each = hours / Math.max(1, cars);
  const why =
    each < FEW_HOURS
      ? `${Math.max(1, Math.round(60 * each))} min of each car say little of how odd others are`
      : 'cars differ more than those it was set on';
  return {
    over,
    text: `over its budget: ${figures}, because ${why}. Train again when there is more history; until then expect so many, or ask for what can be met with --alert-budget`,
  };
}
