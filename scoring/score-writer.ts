// From a finding to the bytes of a score record, on the scorer's hot path.
import type { ModelBundle } from '../core/model/bundle.ts';
import type { Finding } from '../core/model/detector.ts';
import { roundScore } from '../core/model/hysteresis.ts';
import type { TelemetryEvent } from '../core/telemetry-reader.ts';
import { ByteWriter } from './byte-writer.ts';

export interface ScoredEvent {
  readonly event: TelemetryEvent;
  readonly partition: number;
  readonly offset: number;
  readonly late: boolean;
  readonly finding: Finding;
}

/** Signals named in a score. */
const TOP = 3;
/** A signal with a smaller share of the score is not named. */
const MIN_SHARE = 0.05;

/** Decimals that show a thousandth of the signal's spread or so: what a person or a chart can tell. */
const decimalsFor = (spread: number) => Math.min(9, Math.max(0, 3 - Math.floor(Math.log10(spread))));

/** Decimals in which a reading is given; it is rounded beyond, as are the readings of the sensors themselves. */
const READING_DECIMALS = 6;

/** The signals that made the score, largest share first. */
export function topSignals(shares: Float64Array, most = TOP, minShare = MIN_SHARE): number[] {
  const top: number[] = [];
  let least = minShare;
  for (let i = 0; i < shares.length; i += 1) {
    const share = shares[i]!;
    if (share <= least) continue;
    let place = top.length;
    while (place > 0 && shares[top[place - 1]!]! < share) place -= 1;
    top.splice(place, 0, i);
    if (top.length > most) top.length = most;
    if (top.length === most) least = shares[top[most - 1]!]!;
  }
  return top;
}

const ascii = (text: string) => Buffer.from(text);

/** A writer for one model: the bytes of a Score, as JSON.stringify would give them. */
export function createScoreWriter(bundle: ModelBundle, version: string): (scored: ScoredEvent) => Uint8Array {
  const { signals } = bundle.catalogue;
  const decimals = new Uint8Array(signals.length).fill(READING_DECIMALS);
  bundle.scaler.signals.forEach((signal, k) => {
    decimals[signal] = decimalsFor(bundle.scaler.scale[k]!);
  });
  const names = signals.map(({ name }) => ascii(`{"signal":${JSON.stringify(name)},"value":`));
  const pieces = {
    vin: ascii('{"vin":'),
    seq: ascii(',"seq":'),
    ts: ascii(',"ts":'),
    partition: ascii(',"partition":'),
    offset: ascii(',"offset":'),
    score: ascii(`,"model":${JSON.stringify(version)},"score":`),
    timely: ascii(`,"threshold":${JSON.stringify(bundle.threshold)},"late":false,"values":[`),
    late: ascii(`,"threshold":${JSON.stringify(bundle.threshold)},"late":true,"values":[`),
    comma: ascii(','),
    expected: ascii('],"expected":['),
    top: ascii('],"top":['),
    topExpected: ascii(',"expected":'),
    share: ascii(',"share":'),
    close: ascii('}'),
    lost: ascii('],"lost":['),
    end: ascii(']}'),
  };
  const out = new ByteWriter();
  const field = (piece: Uint8Array, value: number, places = 0) => {
    out.piece(piece);
    out.number(value, places);
  };
  return ({ event, partition, offset, late, finding }) => {
    const { shares, expected } = finding;
    out.piece(pieces.vin);
    out.text(JSON.stringify(event.vin));
    field(pieces.seq, event.seq);
    field(pieces.ts, event.tsMs);
    field(pieces.partition, partition);
    field(pieces.offset, offset);
    field(pieces.score, roundScore(finding.score), 4);
    out.piece(late ? pieces.late : pieces.timely);
    for (let i = 0; i < signals.length; i += 1) {
      if (i > 0) out.piece(pieces.comma);
      out.reading(event.values[i]!, READING_DECIMALS);
    }
    out.piece(pieces.expected);
    for (let i = 0; i < signals.length; i += 1) {
      if (i > 0) out.piece(pieces.comma);
      out.number(expected[i]!, decimals[i]!);
    }
    out.piece(pieces.top);
    topSignals(shares).forEach((signal, place) => {
      if (place > 0) out.piece(pieces.comma);
      out.piece(names[signal]!);
      out.reading(event.values[signal]!, READING_DECIMALS);
      field(pieces.topExpected, expected[signal]!, decimals[signal]!);
      field(pieces.share, shares[signal]!, 3);
      out.piece(pieces.close);
    });
    finding.lost.forEach((signal, place) => {
      out.piece(place === 0 ? pieces.lost : pieces.comma);
      out.text(JSON.stringify(signals[signal]!.name));
    });
    out.piece(pieces.end);
    return out.finish();
  };
}
