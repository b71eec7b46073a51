import { Engine } from '../engine/engine.js';
import { startPage } from './start.js';

startPage({ Engine });
