// What the server sends to the page: the types of its own schemas.
export type { AlertView } from '../alert-index.ts';
export type { AlertList, Car, Fleet, FoundCars, Frame, Session, Tile } from '../wire.ts';
export type History = import('../wire.ts').Car['history'];
