// What the server sends to the page; alerts/fleet-view.ts and alerts/routes.ts make it.
export interface Share {
  signal: string;
  value: number | null;
  expected: number | null;
  share: number;
}

export interface AlertView {
  alertId: string;
  vin: string;
  state: 'open' | 'cleared';
  severity: 'warning' | 'critical';
  raisedTs: number;
  updatedTs: number;
  acknowledgedTs?: number;
  acknowledgedBy?: string;
  clearedTs?: number;
  top: Share[];
  reason: string;
}

export interface Tile {
  vin: string;
  ts: number;
  level: number;
  alertId?: string;
  severity?: 'warning' | 'critical';
}

export interface Fleet {
  nowMs: number;
  model: string | null;
  total: number;
  open: number;
  eventsPerSecond: number;
  cars: Tile[];
}

export interface History {
  ts: number[];
  ratio: number[];
  values: (number | null)[][];
  expected: (number | null)[][];
}

export interface Car {
  vin: string;
  ts: number;
  score: number;
  threshold: number;
  level: number;
  top: Share[];
  values: (number | null)[];
  expected: (number | null)[];
  model: string;
  signals: { name: string; unit: string; label: string; usual: number }[];
  alerts: AlertView[];
  history: History;
}

export interface Frame {
  fleet: Fleet;
  car: Car | null;
}

export interface Session {
  name: string;
  cars: string[] | null;
  faults: { name: string; label: string; moves: string[] }[] | null;
}
