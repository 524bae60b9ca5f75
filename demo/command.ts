// `telltale demo`, which is `npm start`: the whole stream in one process, on the simulated fleet or on a recording.

import type { Context } from '../core/service.ts';
import type { Settings } from '../core/settings.ts';
import { runLiveDemo } from './live.ts';
import { runRecordingDemo } from './recording.ts';

export async function runDemo(settings: Settings, context: Context): Promise<void> {
  if (settings.csv === '') await runLiveDemo(settings, context);
  else await runRecordingDemo(settings, context);
}
