-- AlterTable
ALTER TABLE "RegroupRun" ADD COLUMN     "repairedAt" TIMESTAMP(3);

-- CreateTable
CREATE TABLE "AlertSpike" (
    "ruleId" INTEGER NOT NULL,
    "groupId" INTEGER NOT NULL,
    "slot" INTEGER NOT NULL,

    CONSTRAINT "AlertSpike_pkey" PRIMARY KEY ("ruleId","groupId","slot")
);

-- CreateIndex
CREATE INDEX "AlertSpike_groupId_idx" ON "AlertSpike"("groupId");

-- CreateIndex
CREATE INDEX "AlertSpike_slot_idx" ON "AlertSpike"("slot");

-- AddForeignKey
ALTER TABLE "AlertSpike" ADD CONSTRAINT "AlertSpike_ruleId_fkey" FOREIGN KEY ("ruleId") REFERENCES "AlertRule"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "AlertSpike" ADD CONSTRAINT "AlertSpike_groupId_fkey" FOREIGN KEY ("groupId") REFERENCES "CrashGroup"("id") ON DELETE CASCADE ON UPDATE CASCADE;
