// Every family. Adding one is its file and a line here.
export { blvitFamily } from './blvit-family.js'
export { efficientSamFamily } from './efficient-sam-family.js'
export { efficientVitFamily } from './efficientvit-family.js'
export { mobileSamFamily } from './mobile-sam-family.js'
export { mobileVitFamily } from './mobilevit-family.js'
export { samFamily } from './sam-family.js'
export { t2tFamily } from './t2t-family.js'
export { vitFamily } from './vit-family.js'
