// What the kernel exports. It holds no data of its own: every pointer is a byte of the memory it is given.
export { average, averageReleased, distance, peak, rarest, squares } from './gauge';
export { leftOfForecast, leftOver, range, shocks, still } from './heads';
export { dense, tanhRow, tanhUnits } from './matrix';
export { averageReadings, fillStreams, followLevels, heldInputs } from './relation';
export { gather, pick, scatter } from './transpose';
export { useLanes } from './vector';
