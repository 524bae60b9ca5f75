// What /health says of a service: whether it does its work, and why not. `ready` and `degraded` answer 200 (it works, but
// somebody should look), `down` answers 503 (what it is there for is not done at the moment).

export type HealthStatus = 'ready' | 'degraded' | 'down';

export interface Health {
  readonly status: HealthStatus;
  /** One sentence for each thing that is not as it should be; empty when ready. */
  readonly why: readonly string[];
}

/** Its work is not done because of the first, and done less well because of the second. */
export function healthOf(down: readonly string[], degraded: readonly string[] = []): Health {
  const status = down.length > 0 ? 'down' : degraded.length > 0 ? 'degraded' : 'ready';
  return { status, why: [...down, ...degraded] };
}

const RANK: Readonly<Record<HealthStatus, number>> = { ready: 0, degraded: 1, down: 2 };

/** Several services as one: as bad as the worst of them, each reason under its name. */
export function healthOfAll(parts: Readonly<Record<string, Health>>): Health {
  let status: HealthStatus = 'ready';
  for (const part of Object.values(parts)) if (RANK[part.status] > RANK[status]) status = part.status;
  return {
    status,
    why: Object.entries(parts).flatMap(([name, { why }]) => why.map((reason) => `${name}: ${reason}`)),
  };
}

export const httpStatusOf = ({ status }: Health): 200 | 503 => (status === 'down' ? 503 : 200);

/** `2026-11-28T16:05:00Z`: since when something is so. */
export const since = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;
