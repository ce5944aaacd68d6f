import { cls } from './cls.js'
import { predictor } from './predictor.js'
import { random } from './random.js'
import type { Ranking } from './ranking.js'

/** Every value of the `selection` switch (spec §5). Adding one is its file and a line here. */
export const rankings = { predictor, cls, random } satisfies Record<string, Ranking>
