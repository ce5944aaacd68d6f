import type { RunIdentity } from '../../../base/run-identity.js'
import { type Shard, shardText } from '../../../base/shard.js'
import type { DataSet } from '../../../data/data-set.js'
import { packageVersion } from '../../../files/package-file.js'
import { engineIdentity } from '../../../runtime/engine-identity.js'
import type { Model } from '../../model.js'
import type { EvaluatedSetting } from './tally.js'

/**
 * All that decides the counts. Device, threads and batch are in it because sums in another order may differ in
 * their last bit, and with it a picture on the edge between two classes.
 */
export async function identityOf(
  model: Model,
  data: DataSet,
  {
    teacher,
    settings,
    batch,
    limit,
    seed = 0,
    shard,
  }: {
    teacher?: Model | undefined
    settings: readonly EvaluatedSetting[]
    batch?: number | undefined
    limit?: number | undefined
    seed?: number | undefined
    shard: Shard
  },
): Promise<RunIdentity> {
  return {
    version: packageVersion(),
    model: await model.fingerprint(),
    teacher: teacher ? await teacher.fingerprint() : 'none',
    data: await data.fingerprint(),
    settings: settings.map(({ setting }) => setting).join('; '),
    batch: `${batch ?? 'as is fastest'}`,
    limit: `${limit ?? 'none'}`,
    shard: shardText(shard),
    seed: `${seed}`,
    ...engineIdentity(model.engine, model.engineOptions),
  }
}
