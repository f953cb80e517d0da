-- AlterTable
ALTER TABLE "RegroupRun" ADD COLUMN "repairedAt" DATETIME;

-- CreateTable
CREATE TABLE "AlertSpike" (
    "ruleId" INTEGER NOT NULL,
    "groupId" INTEGER NOT NULL,
    "slot" INTEGER NOT NULL,

    PRIMARY KEY ("ruleId", "groupId", "slot"),
    CONSTRAINT "AlertSpike_ruleId_fkey" FOREIGN KEY ("ruleId") REFERENCES "AlertRule" ("id") ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT "AlertSpike_groupId_fkey" FOREIGN KEY ("groupId") REFERENCES "CrashGroup" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateIndex
CREATE INDEX "AlertSpike_groupId_idx" ON "AlertSpike"("groupId");

-- CreateIndex
CREATE INDEX "AlertSpike_slot_idx" ON "AlertSpike"("slot");
