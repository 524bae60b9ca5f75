// Every way telltale can fail from outside, in one table: code, whether trying again can help, what it means.
// Bad data is never one of these (it is a value, see DeadLetter in events.ts). This file imports nothing.

export const ERRORS = {
  CONFIG_INVALID: {
    retryable: false,
    means: 'A setting is missing, unknown or out of range; all faults are listed at once.',
  },
  LOG_UNAVAILABLE: {
    retryable: true,
    means: 'The log cannot be reached at the moment (broker away, connection lost).',
  },
  LOG_FULL: {
    retryable: true,
    means: 'The log has no room left (disk or map full); nothing of the batch was written.',
  },
  LOG_TOPIC_UNKNOWN: { retryable: false, means: 'The topic does not exist in this log.' },
  LOG_RECORD_TOO_LARGE: {
    retryable: false,
    means: 'A record is larger than the log accepts; nothing of the batch was written.',
  },
  LOG_FENCED: {
    retryable: true,
    means: 'Another member of the group took this partition over; this batch was not committed.',
  },
  LOG_GROUP_ACTIVE: {
    retryable: true,
    means: "A consumer group's offsets cannot be moved while a member of it is running; stop it first.",
  },
  LOG_CLOSED: { retryable: false, means: 'The log was used after it was closed.' },
  LOG_CORRUPT: { retryable: false, means: 'The log holds something that this version cannot read.' },
  LOG_REWOUND: {
    retryable: false,
    means:
      'The log ends before what was acknowledged: records are gone, and their offsets are not given away again.',
  },
  FILE_UNUSABLE: {
    retryable: false,
    means: 'A file or folder that was named cannot be read or written: it is named with the cause.',
  },
  RECORD_INVALID: { retryable: false, means: 'A record in the log does not have the schema of its topic.' },
  CATALOGUE_INVALID: { retryable: false, means: 'A signal catalogue cannot be read or contradicts itself.' },
  RECORDING_INVALID: {
    retryable: false,
    means: 'A CSV recording cannot be read: file, column or line is named.',
  },
  SCENARIO_INVALID: {
    retryable: false,
    means: 'A scenario file has an unknown key or an impossible value: file, line and column are named.',
  },
  MQTT_UNAVAILABLE: { retryable: true, means: 'The MQTT broker refused the connection or vanished.' },
  SERVER_UNAVAILABLE: { retryable: true, means: 'The alert server cannot be reached at the moment.' },
  SERVER_REFUSED: { retryable: false, means: 'The alert server does not accept the token or the request.' },
  PORT_IN_USE: { retryable: false, means: 'The address is already used by another program.' },
  MODEL_NOT_FOUND: { retryable: false, means: 'No such model version or alias is released in this log.' },
  MODEL_INVALID: {
    retryable: false,
    means: 'A model bundle is damaged, of another feature version, or made for another catalogue.',
  },
  MODEL_IN_USE: {
    retryable: false,
    means: 'The model is champion or challenger, so what it computes cannot be dropped.',
  },
  MODEL_ALARMS: {
    retryable: false,
    means:
      'A model just trained alarms on its own history beyond its budget; it is not released, nothing is written.',
  },
  TRAINING_DATA: {
    retryable: false,
    means: 'The chosen stretch of history is empty, too short or has too few cars.',
  },
  BACKEND_UNAVAILABLE: {
    retryable: false,
    means: 'The TensorFlow.js backend that was asked for cannot be loaded.',
  },
  ABORTED: {
    retryable: false,
    means: 'The work was stopped before its end; nothing half-written was left behind.',
  },
} as const satisfies Record<string, { retryable: boolean; means: string }>;

export type ErrorCode = keyof typeof ERRORS;

/** A failure from outside, with a code of the table above. */
export class TelltaleError extends Error {
  override readonly name = 'TelltaleError';
  readonly code: ErrorCode;
  readonly retryable: boolean;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
    this.retryable = ERRORS[code].retryable;
  }
}

/** True when trying the same call again can help. */
export function isRetryable(error: unknown): boolean {
  return error instanceof TelltaleError && error.retryable;
}

/** What the system says of a file, in words. */
const FILE_FAULTS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  ENOTDIR: 'a file stands where a folder is needed',
  EISDIR: 'is a folder, a file is needed',
  EEXIST: 'is there already',
  EACCES: 'may not be opened by this user',
  EPERM: 'may not be changed by this user',
  EROFS: 'the disk can only be read',
  ENOSPC: 'the disk is full',
  EMFILE: 'too many files are open',
};

/** The file that a failed system call was about, and what is wrong with it in words; null: the error is of another kind. */
export function fileFault(error: unknown): { readonly path: string; readonly what: string } | null {
  if (!(error instanceof Error)) return null;
  const { code = '', path, syscall } = error as NodeJS.ErrnoException;
  const what = Object.hasOwn(FILE_FAULTS, code) ? FILE_FAULTS[code] : undefined;
  return what === undefined || path === undefined || syscall === undefined ? null : { path, what };
}

/** The message of anything thrown, for a log line or a reason; of a file, which who asks names, in words. */
export function messageOf(error: unknown): string {
  return fileFault(error)?.what ?? (error instanceof Error ? error.message : String(error));
}

/** Ends the work when an invariant of the program itself is broken: such an error is never caught and retried. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`invariant broken: ${message}`);
}
