// What the leave-one-out bench leaves out: each statistic, each stream of the relation head, each head, each voice and all of them, the
// fourth power of those heard alone, what is usual for a car.
import type { Part } from './leave.ts';

/** `relation.fine-8-single` of `relation-2.fine-8-single`: the same statistic of another kind of car. */
const plain = (statistic: string): string => statistic.replace(/^([a-z]+)-\d+\./, '$1.');
const headOf = (statistic: string): string => statistic.slice(0, statistic.indexOf('.'));
const streamOf = (statistic: string): string => statistic.replace(/-.*/, '');

const dropping = (name: string, hit: (statistic: string) => boolean): Part => ({
  name,
  drop: (statistic) => hit(plain(statistic)),
});

/** All that is left out, one after another, of a model with these statistics; `groups`: no statistic and no voice alone. */
export function partsOf(statistics: readonly string[], groups = false): Part[] {
  const all = [...new Set(statistics.map(plain))];
  const alone = all.filter((name) => name.endsWith('-single'));
  const heads = [...new Set(all.map(headOf))].filter((name) => name !== 'relation');
  const streams = [...new Set(all.filter((name) => headOf(name) === 'relation').map(streamOf))];
  const peaks = all.filter((name) => name.endsWith('-peak') && headOf(name) === 'relation');
  return [
    ...(groups ? [] : all).map((name) => dropping(name, (one) => one === name)),
    ...streams.map((name) => dropping(`stream ${name}`, (one) => streamOf(one) === name)),
    ...heads.map((name) => dropping(`head ${name}`, (one) => headOf(one) === name)),
    dropping('heads autoencoder and forecast', (one) => /^(autoencoder|forecast)\./.test(one)),
    dropping('all peaks of the relation head', (one) => peaks.includes(one)),
    dropping('all heard alone', (one) => alone.includes(one)),
    ...(groups ? [] : alone).map(
      (name): Part => ({ name: `voice of ${name}`, mute: (one) => plain(one) === name }),
    ),
    { name: 'all voices', mute: () => true },
    { name: 'fourth power', fourth: true },
    { name: 'usual', usual: true },
  ];
}
