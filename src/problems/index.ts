import { classify } from './classify.js'
import { embed } from './embed.js'

/** Everything that can be asked of a picture. Adding a problem is its file and a line here. */
export const problems = { classify, embed }
