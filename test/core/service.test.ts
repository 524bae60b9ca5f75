import { describe, expect, it } from 'vitest';
import { TelltaleError } from '../../core/errors.ts';
import { pause, supervise } from '../../core/service.ts';

const away = () => new TelltaleError('LOG_UNAVAILABLE', 'broker away');

function setUp(maxFailures: number) {
  const warnings: string[] = [];
  const controller = new AbortController();
  let nowMs = 0;
  return {
    warnings,
    controller,
    advance: (ms: number) => {
      nowMs += ms;
    },
    options: {
      name: 'loop',
      signal: controller.signal,
      warn: (line: string) => void warnings.push(line),
      clock: () => nowMs,
      maxFailures,
    },
  };
}

describe('supervise', () => {
  it('tries again after a retryable error and says so', async () => {
    const { options, warnings } = setUp(3);
    let calls = 0;
    await supervise(options, async () => {
      calls += 1;
      if (calls === 1) throw away();
    });
    expect(calls).toBe(2);
    expect(warnings).toEqual(['loop: broker away; trying again in 100 ms (1 of 3)']);
  });

  it('gives up after the bound', async () => {
    const { options, warnings } = setUp(2);
    await expect(supervise(options, async () => Promise.reject(away()))).rejects.toMatchObject({
      code: 'LOG_UNAVAILABLE',
    });
    expect(warnings).toHaveLength(1);
  });

  it('does not try again after an error that trying cannot mend', async () => {
    const { options } = setUp(5);
    let calls = 0;
    const attempt = async () => {
      calls += 1;
      throw new TelltaleError('LOG_TOPIC_UNKNOWN', 'no topic');
    };
    await expect(supervise(options, attempt)).rejects.toMatchObject({ code: 'LOG_TOPIC_UNKNOWN' });
    expect(calls).toBe(1);
  });

  it('counts failures in a row: a long healthy attempt starts the count anew', async () => {
    const { options, advance } = setUp(2);
    let calls = 0;
    await supervise(options, async () => {
      calls += 1;
      advance(30_000);
      if (calls < 4) throw away();
    });
    expect(calls).toBe(4);
  });

  it('ends quietly when it is stopped during an attempt', async () => {
    const { options, controller } = setUp(2);
    await supervise(options, async () => {
      controller.abort();
      throw away();
    });
    expect(controller.signal.aborted).toBe(true);
  });
});

describe('pause', () => {
  it('ends at once when the signal aborts', async () => {
    const controller = new AbortController();
    const waiting = pause(60_000, controller.signal);
    controller.abort();
    await waiting;
    await pause(60_000, controller.signal);
    expect(controller.signal.aborted).toBe(true);
  });
});
