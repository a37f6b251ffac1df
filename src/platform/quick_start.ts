/** Imported first by what runs as a program of its own, before anything loads the C library. */
import { loadWhenCalled } from "./libc.ts";

loadWhenCalled();
