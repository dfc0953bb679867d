// @ts-check
// What every page loads. The build makes one module of it, so that a slow line waits for one file.
import "./calculator.js";
import "./chart.js";
import "./prediction.js";
import "./theme.js";
