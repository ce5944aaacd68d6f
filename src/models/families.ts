// Every family. Adding one is its file and a line here.
export { blvitFamily } from './blvit-family.js'
export { vitFamily } from './vit-family.js'
