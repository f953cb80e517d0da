-- What boot reports say: of the last one on its device, and counters of the runs that they ended. Added in place:
-- redefining the tables would write every row anew, and drop the triggers. A restart alone is told to no client.
ALTER TABLE "Device" ADD COLUMN "lastBootUptimeSeconds" INTEGER;
ALTER TABLE "Device" ADD COLUMN "lastBootCrashPending" BOOLEAN;

ALTER TABLE "DeviceDay" ADD COLUMN "resetUnknown" INTEGER NOT NULL DEFAULT 0;
ALTER TABLE "DeviceDay" ADD COLUMN "resetPoweron" INTEGER NOT NULL DEFAULT 0;
ALTER TABLE "DeviceDay" ADD COLUMN "resetExt" INTEGER NOT NULL DEFAULT 0;
ALTER TABLE "DeviceDay" ADD COLUMN "resetSw" INTEGER NOT NULL DEFAULT 0;
ALTER TABLE "DeviceDay" ADD COLUMN "resetPanic" INTEGER NOT NULL DEFAULT 0;
ALTER TABLE "DeviceDay" ADD COLUMN "resetIntWdt" INTEGER NOT NULL DEFAULT 0;
ALTER TABLE "DeviceDay" ADD COLUMN "resetTaskWdt" INTEGER NOT NULL DEFAULT 0;
ALTER TABLE "DeviceDay" ADD COLUMN "resetWdt" INTEGER NOT NULL DEFAULT 0;
ALTER TABLE "DeviceDay" ADD COLUMN "resetDeepsleep" INTEGER NOT NULL DEFAULT 0;
ALTER TABLE "DeviceDay" ADD COLUMN "resetBrownout" INTEGER NOT NULL DEFAULT 0;
ALTER TABLE "DeviceDay" ADD COLUMN "resetSdio" INTEGER NOT NULL DEFAULT 0;
ALTER TABLE "DeviceDay" ADD COLUMN "resetUsb" INTEGER NOT NULL DEFAULT 0;
ALTER TABLE "DeviceDay" ADD COLUMN "resetJtag" INTEGER NOT NULL DEFAULT 0;
ALTER TABLE "DeviceDay" ADD COLUMN "resetEfuse" INTEGER NOT NULL DEFAULT 0;
ALTER TABLE "DeviceDay" ADD COLUMN "resetPwrGlitch" INTEGER NOT NULL DEFAULT 0;
ALTER TABLE "DeviceDay" ADD COLUMN "resetCpuLockup" INTEGER NOT NULL DEFAULT 0;
ALTER TABLE "DeviceDay" ADD COLUMN "resetOther" INTEGER NOT NULL DEFAULT 0;
ALTER TABLE "DeviceDay" ADD COLUMN "runs" INTEGER NOT NULL DEFAULT 0;
ALTER TABLE "DeviceDay" ADD COLUMN "crashedRuns" INTEGER NOT NULL DEFAULT 0;
ALTER TABLE "DeviceDay" ADD COLUMN "timedRuns" INTEGER NOT NULL DEFAULT 0;
ALTER TABLE "DeviceDay" ADD COLUMN "runSeconds" DOUBLE PRECISION NOT NULL DEFAULT 0;

-- CreateIndex
CREATE INDEX "DeviceDay_deviceId_slot_idx" ON "DeviceDay"("deviceId", "slot");
