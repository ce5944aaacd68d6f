import type { GoldenMethod } from '../method.js'
import { adaVitMethod } from './adavit.js'
import { atsMethod } from './ats.js'
import { avitMethod } from './avit.js'
import { dynamicVitMethod } from './dynamicvit.js'
import { efficientVitMethod } from './efficientvit.js'
import { evitMethod } from './evit.js'
import { evoVitMethod } from './evovit.js'
import { mctfMethod } from './mctf.js'
import { mobileVitMethod } from './mobilevit.js'
import { t2tMethod } from './t2t.js'
import { tomeMethod } from './tome.js'
import { vitMethod } from './vit.js'

/** By the `method` of golden.json. Adding one is its file and a line here. */
export const methods: Readonly<Record<string, GoldenMethod>> = {
  vit: vitMethod,
  evit: evitMethod,
  evovit: evoVitMethod,
  dynamicvit: dynamicVitMethod,
  tome: tomeMethod,
  mctf: mctfMethod,
  efficientvit: efficientVitMethod,
  ats: atsMethod,
  avit: avitMethod,
  mobilevit: mobileVitMethod,
  t2t: t2tMethod,
  adavit: adaVitMethod,
}
